/** What a station shows of the images that are mounted here: plain JSON data. Sizes are bytes, times ms since 1970. */
export interface MountsView {
  /** The processes behind the mounts; absent: none runs, nothing is mounted. */
  readonly server?: MountServerView;
  readonly mounts: readonly MountView[];
  /** Images that are used before they are here, mounted or not. */
  readonly lazy: readonly LazyImageView[];
}

export interface MountServerView {
  /** Processes; absent: it does not answer now. */
  readonly keeper?: number;
  readonly mountServer?: number;
  /** How often the keeper had to start the mount server anew. */
  readonly restarts: number;
  /** Resident memory of the mount server. */
  readonly memory: number;
  /** The FUSE protocol that was agreed on with the kernel, `7.45`. */
  readonly protocol: string;
  readonly passthrough: boolean;
  /** Why not, in plain words. */
  readonly passthroughWhy?: string;
  /** The kernel asks again what a mount server that was killed left unanswered (Linux 6.9 and later). */
  readonly resend: boolean;
  /** Why nothing more is known, in plain words. */
  readonly why?: string;
}

/** One image at one directory. */
export interface MountView {
  /** Absolute. */
  readonly target: string;
  readonly image: LazyImageView;
  readonly mountedAt: number;
  readonly writable: boolean;
  /** Where what is written goes, of a writable one. */
  readonly upper?: string;
  readonly suid: boolean;
  readonly dev: boolean;
  /** Somebody else unmounted it. */
  readonly gone?: boolean;
  /** `passthrough`: the kernel reads what is here by itself; `read`: the mount server answers each read. */
  readonly mode: 'passthrough' | 'read';
  /** Why it is not passthrough, in plain words. */
  readonly modeWhy?: string;
  /** Absent: the mount server did not tell. */
  readonly reads?: ReadsView;
}

/** How reads of an image went since the mount server started. Times in ms. */
export interface ReadsView {
  /** Opens and reads that had to wait for a peer. */
  readonly waited: number;
  readonly waitP50: number;
  readonly waitP99: number;
  readonly waiting: number;
  readonly failed: number;
  readonly passthroughOpens: number;
  readonly readOpens: number;
}

export interface LazyImageView {
  /** CID of the manifest root. */
  readonly manifestRoot: string;
  readonly imageRoot: string;
  /** `sha256:…`; absent: not known any more. */
  readonly imageId?: string;
  readonly names: readonly string[];
  /** Content bytes and what it takes to verify them, and how many of them are here. */
  readonly bytes: number;
  readonly here: number;
  readonly state: 'fetching' | 'waiting' | 'verifying' | 'complete' | 'quarantined';
  /** Why, in plain words: `no peer has …`, `layer 2 is not what its diffID says`. */
  readonly why?: string;
  /** What each peer sent of it, decompressed. */
  readonly byPeer: Readonly<Record<string, number>>;
  /** Its start-up profile: none known, being recorded, fetched first, or whole already. */
  readonly profile: 'none' | 'recording' | 'used' | 'here';
  /** Bytes that came over the wire for it. */
  readonly wireBytes: number;
}

/** What `pull --lazy` answers. */
export interface PrepareResult {
  /** `/ipfs/<published root>/<id or name>`, as of a pull. */
  readonly address: string;
  readonly imageRoot: string;
  readonly manifestRoot: string;
  readonly imageId: string;
  readonly platform: string;
  readonly names: readonly string[];
  /** Every byte is here and verified. */
  readonly complete: boolean;
  readonly bytes: number;
  readonly here: number;
  readonly profile: LazyImageView['profile'];
}

export interface MountResult extends PrepareResult {
  readonly target: string;
  readonly writable: boolean;
  readonly upper?: string;
  readonly mode: MountView['mode'];
  readonly modeWhy?: string;
}

export interface UnmountResult {
  readonly target: string;
  /** What was written into it and where it is kept; absent: nothing was kept. */
  readonly kept?: string;
  /** Where it was, of what was written and is removed now. */
  readonly removed?: string;
}

/** What a stop ended beside the station. */
export interface StopResult {
  readonly pid: number;
  /** Mountpoints that go on without a station: what is here is served, what is not waits. */
  readonly left: readonly string[];
  /** Mountpoints that were unmounted (`all`), each with where what was written into it is kept. */
  readonly unmounted: readonly { readonly target: string; readonly kept?: string }[];
}

/** A start-up profile: the content that an image uses first, in order. */
export interface ProfileView {
  readonly manifestRoot: string;
  /** Recorded here, imported from a file, or named by another station's catalogue. */
  readonly source: 'recorded' | 'imported' | 'catalogue';
  /** CID of the stored profile. */
  readonly profile: string;
  readonly ranges: number;
  /** Content bytes that they cover. */
  readonly bytes: number;
  /** Starts that it was merged from. */
  readonly runs: number;
}

export interface ProfileFile {
  readonly manifestRoot: string;
  /** The profile's bytes, base64. */
  readonly content: string;
}

/** What the mount server counted and did last, for `debug fuse`. */
export interface FuseDebugView {
  readonly server?: MountServerView;
  readonly chains: readonly (ReadsView & {
    readonly key: string;
    readonly mounts: number;
    readonly complete: boolean;
  })[];
  /** Requests of the kernel by operation. */
  readonly operations: Readonly<Record<string, number>>;
  /**
   * Whether the last requests were kept before this question; from it on they are, for five minutes. Absent: no mount
   * server answered.
   */
  readonly traced?: boolean;
  /** The last requests and replies, oldest first, one line each. */
  readonly trace: readonly string[];
}
