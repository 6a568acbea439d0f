/**
 * What is said to the keeper over `<root>/run/keeper.sock`: one JSON document a line. A connection says who it is first;
 * its end tells the keeper that this process is gone.
 *
 * The keeper lives only while there is something to keep: the station starts it with the first mount (or at its own
 * start, where chains of an earlier run are still mounted), and it ends once the FUSE mount is gone.
 */
export type KeeperRequest =
  /** With `respawn` the keeper starts the station anew when the connection ends without `goodbye`; else somebody else (systemd) does. */
  | { readonly id: number; readonly ask: 'station'; readonly pid: number; readonly respawn?: SpawnSpec }
  /** The mount server, after its start or when it found a new keeper. `device`: the number of its /dev/fuse descriptor. */
  | { readonly id: number; readonly ask: 'mount-server'; readonly pid: number; readonly device: number }
  /** Answers KeeperStatus once the FUSE filesystem is mounted and the mount server listens. */
  | { readonly id: number; readonly ask: 'ensure' }
  | { readonly id: number; readonly ask: 'status' }
  /** The station ends on purpose: do not start it again. */
  | { readonly id: number; readonly ask: 'goodbye' }
  /** A new mount server takes over from the running one, which finishes what it has in hand; readers notice nothing. */
  | { readonly id: number; readonly ask: 'replace-mount-server' }
  /** The keeper ends; the mount server starts a new one, from what is installed now. */
  | { readonly id: number; readonly ask: 'replace-keeper' }
  /**
   * Unmounts FUSE and ends both: `busy/mounts-in-use` while an overlay lies on it, unless `force`. Answers KeeperEnd.
   * Without `force` files of mounts that were detached lazily are served until they are closed.
   */
  | { readonly id: number; readonly ask: 'end'; readonly force: boolean }
  /** Of the mount server: its connection to the kernel has ended (unmounted, aborted), and so does it. */
  | { readonly id: number; readonly ask: 'ended' };

/** A request before it has its number. */
export type KeeperAsk = KeeperRequest extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never;

export interface KeeperEnd {
  /** Overlays that were unmounted by force. */
  readonly unmounted: readonly string[];
}

export interface SpawnSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface KeeperStatus {
  readonly pid: number;
  readonly version: string;
  /** Where FUSE is mounted: `<root>/run/fuse`. */
  readonly mountpoint: string;
  readonly mountServer?: number;
  readonly station?: number;
  /** Since the keeper started. */
  readonly mountServerRestarts: number;
  readonly stationRestarts: number;
}

export type KeeperAnswer =
  | { readonly id: number; readonly done: unknown }
  | { readonly id: number; readonly fault: import('../base/fault.ts').FaultRecord };
