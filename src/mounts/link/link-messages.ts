/**
 * What station and mount server say to each other over `<root>/run/mounts.sock`: one JSON document a line, at most
 * 1 MiB, both directions at any time. The mount server listens and serves one station; it outlives it. Nothing here is
 * said for a read whose bytes are here.
 */

/** UTF-16 units of a path in a message: PATH_MAX of Linux. What is said for a log only is cut there. */
export const MAX_SAID_PATH = 4096;

/** A chain: layers on each other under one name below `t/`. Its key is a manifest root's CID or a chainID's hex. */
export interface ChainSpec {
  readonly key: string;
  /** Bottom first: CIDs of the layer indexes, each a complete file below `cas/`. */
  readonly indexes: readonly string[];
  /** Every object of it is in `cas/`: nothing need be asked. */
  readonly complete: boolean;
  /** Reads of large files come as READ, so that the profile sees them. */
  readonly recording: boolean;
  /** It is not what was claimed: opens and reads that reach the mount server are EIO. */
  readonly quarantined?: boolean;
}

export interface OverlayMountSpec {
  readonly chain: string;
  /** Absolute, exists. */
  readonly target: string;
  /**
   * Present: writable, with these two folders on one real filesystem; both exist and are empty. The root of the mount shows
   * the attributes of the `upper` folder, so the mount server gives it those of the chain's root.
   */
  readonly upper?: { readonly upper: string; readonly work: string };
  /** Absent: MS_NOSUID, MS_NODEV. */
  readonly suid?: boolean;
  readonly dev?: boolean;
}

export interface MountedView extends OverlayMountSpec {
  /** Milliseconds since 1970. */
  readonly mountedAt: number;
  /** Gone from mountinfo although nobody asked: somebody else unmounted it. */
  readonly gone?: boolean;
}

/** How reads of a chain went since the mount server started. Times in ms. */
export interface ChainStatistics {
  readonly key: string;
  readonly mounts: number;
  readonly complete: boolean;
  /** Opens and reads that had to wait for a peer. */
  readonly waited: number;
  readonly waitP50: number;
  readonly waitP99: number;
  /** Waiting now. */
  readonly waiting: number;
  readonly failed: number;
  readonly passthroughOpens: number;
  readonly readOpens: number;
}

export interface MountServerStatus {
  readonly pid: number;
  readonly version: string;
  readonly memory: number;
  /** FUSE minor that was agreed on. */
  readonly protocol: string;
  readonly passthrough: boolean;
  /** Why not, in plain words. */
  readonly passthroughWhy?: string;
  /** The kernel resends what a killed server left unanswered (6.9 and later). */
  readonly resend: boolean;
  readonly chains: readonly ChainStatistics[];
  readonly mounts: readonly MountedView[];
}

/** What the kernel asked of the mount server. */
export interface FuseFrames {
  /** Requests by operation, since it started. */
  readonly operations: Readonly<Record<string, number>>;
  /** Whether frames were kept before this question; from it on they are, for five minutes. */
  readonly kept: boolean;
  /** The last requests and replies, oldest first, a line each. */
  readonly trace: readonly string[];
}

/** The mount server's answer to `hello`. */
export interface LinkGreeting {
  readonly version: string;
  readonly pid: number;
}

/**
 * Requests of the station; each is answered by `done` or `fault` with the same id. `hello` comes first, and answers
 * {@link LinkGreeting}: from then on the wants come to this station.
 */
export type StationRequest =
  | { readonly id: number; readonly ask: 'hello'; readonly version: string }
  /** Known already with the same indexes: only `complete`, `recording` and `quarantined` are taken over. Answers null. */
  | { readonly id: number; readonly ask: 'chain'; readonly chain: ChainSpec }
  /** `busy/chain-in-use` while it is mounted. */
  | { readonly id: number; readonly ask: 'forget'; readonly key: string }
  /** Answers MountedView once mountinfo shows it and its root answers a stat. */
  | { readonly id: number; readonly ask: 'mount'; readonly mount: OverlayMountSpec }
  /** `not-found/not-mounted`, `busy/mount-in-use`; `lazy` detaches it all the same. */
  | { readonly id: number; readonly ask: 'unmount'; readonly target: string; readonly lazy: boolean }
  | { readonly id: number; readonly ask: 'status' }
  /** Answers {@link FuseFrames}. */
  | { readonly id: number; readonly ask: 'frames' };

/**
 * What the mount server wants of the station: leaves of an object in `[first, end)`, to be in `cas/<cid>` (then the
 * object is complete) or `partial/<cid>` (then these leaves are) before it is answered with `have`, or `lost`.
 */
export interface WantMessage {
  readonly want: number;
  readonly chain: string;
  /** Number of the layer in the chain, bottom 0, and of the object in its index. */
  readonly layer: number;
  readonly object: number;
  readonly first: number;
  readonly end: number;
  /** What a person calls it: for logs. */
  readonly path: string;
  /** Nobody waits for it yet: it goes behind what somebody waits for. */
  readonly ahead?: boolean;
}

/** First uses of content, in order, for the start-up profile: `[layer, object, first leaf, end leaf]`. */
export interface TouchedMessage {
  readonly touched: string;
  readonly ranges: readonly (readonly [number, number, number, number])[];
}

export type ServerMessage =
  | { readonly id: number; readonly done: unknown }
  | { readonly id: number; readonly fault: import('../../base/fault.ts').FaultRecord }
  | WantMessage
  /** The reader was interrupted or is gone. */
  | { readonly cancel: number }
  | TouchedMessage;

export type StationMessage =
  | StationRequest
  /** `complete`: the whole object is in `cas/`. */
  | { readonly have: number; readonly complete: boolean }
  /** The reader gets EIO. */
  | { readonly lost: number; readonly fault: import('../../base/fault.ts').FaultRecord };
