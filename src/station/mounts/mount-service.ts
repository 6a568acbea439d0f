import type { KeeperStatus } from '../../keeper/keeper-messages.ts';
import type { FuseFrames, MountServerStatus } from '../../mounts/link/link-messages.ts';
import type { MountableImage } from '../../transfer/lazy/lazy-images.ts';

export interface MountOptions {
  /** Writable: with an upper of its own below `<root>/uppers/`. */
  readonly writable?: boolean;
  /** Absent: MS_NOSUID, MS_NODEV. */
  readonly suid?: boolean;
  readonly dev?: boolean;
  /** Large files are read by READ, so that the start-up profile sees what is used. */
  readonly recording?: boolean;
}

export interface UnmountOptions {
  /** Detached at once; what still uses it goes on until it ends. */
  readonly lazy?: boolean;
  /** What was written into it stays on disk. */
  readonly keep?: boolean;
}

/** A mount as its station knows it. */
export interface StationMount {
  /** Absolute, links resolved. */
  readonly target: string;
  /** Key of its image: the CID of its manifest root. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly mountedAt: number;
  readonly suid: boolean;
  readonly dev: boolean;
  /** Where what is written goes, of a writable one. */
  readonly upper?: string;
  /** Somebody else unmounted it. */
  readonly gone?: boolean;
}

export interface Unmounted {
  readonly target: string;
  /** Where what was written is kept; absent: nothing was. */
  readonly kept?: string;
  /** Where it was, of what was written and is removed now. */
  readonly removed?: string;
}

/** What was written into a mount, on disk. */
export interface KeptUpper {
  /** The folder of what was written: what overlayfs calls the upper. */
  readonly upper: string;
  readonly target: string;
  readonly key: string;
  /** It was mounted at, milliseconds since 1970. */
  readonly mountedAt: number;
}

export interface MountServiceStatus {
  /** Absent: it does not answer, or nothing is mounted. */
  readonly keeper?: KeeperStatus;
  readonly server?: MountServerStatus;
  /** Why nothing more is known, in plain words. */
  readonly why?: string;
}

/** What becomes of the mounts when the station stops. */
export interface ReleasedMounts {
  /** They go on without a station. */
  readonly left: readonly StationMount[];
  readonly unmounted: readonly StationMount[];
}

/**
 * The station's side of its mounts. Keeper and mount server do the work and outlive the station; it never opens, stats
 * or walks a path below a mount, nor calls mount(2) itself: what they wait for may be what it has to fetch.
 *
 * resume -> (mount -> unmount)* -> release -> stop
 */
export interface MountService {
  /**
   * Adopts what an earlier station left: chains, mounts, reads that wait. Starts nothing where nothing is mounted; a
   * FUSE filesystem whose mount server died with its keeper is cleaned away.
   */
  resume(): Promise<void>;
  /**
   * Keeper and mount server run and answer; started where they do not.
   * @throws Fault `unsupported/no-fuse` where this machine cannot: says why and what to do
   */
  ensure(signal: AbortSignal): Promise<void>;
  /**
   * @param target absolute; a folder that is there
   * @throws Fault `unsupported/no-fuse`, `not-found/no-mountpoint`, `invalid/mountpoint-is-file`,
   *   `exists/already-mounted` (by us, at this very folder)
   */
  mount(
    image: MountableImage,
    target: string,
    options: MountOptions,
    signal: AbortSignal,
  ): Promise<StationMount>;
  /**
   * What was written is removed, unless `keep`; a mount that somebody else unmounted is tidied up likewise.
   * @throws Fault `not-found/not-mounted`, `busy/mount-in-use`
   */
  unmount(target: string, options: UnmountOptions, signal: AbortSignal): Promise<Unmounted>;
  /** As last told by the mount server; asks it. */
  list(): Promise<readonly StationMount[]>;
  /** Uppers on disk that no mount uses. */
  uppers(): Promise<readonly KeptUpper[]>;
  /** Never throws: says what it knows. */
  status(): Promise<MountServiceStatus>;
  /** What the kernel asked; `undefined` where no mount server runs, or it does not answer. */
  frames(): Promise<FuseFrames | undefined>;
  /**
   * Before a planned stop. `all`: unmounts everything and ends keeper and mount server.
   * @throws Fault `busy/mounts-in-use` (fields: mounts) with `all` while something is mounted, unless `force`
   */
  release(how: { readonly all: boolean; readonly force: boolean }): Promise<ReleasedMounts>;
  /** Says goodbye to the keeper; where nothing is mounted, keeper and mount server end too. Idempotent. */
  stop(): Promise<void>;
}
