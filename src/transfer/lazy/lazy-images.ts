import type { ProgressListener } from '../../observe/progress.ts';

export interface LazyOpenOptions {
  /** As for a pull. An id needs a trusted answer, a full CID, or `from`: its layers are used before they are verified. */
  readonly reference: string;
  readonly platform?: string;
  readonly from?: string;
  readonly onProgress: ProgressListener;
  readonly signal: AbortSignal;
}

/** An image that can be mounted: all its indexes are here. */
export interface MountableImage {
  /** CID of the manifest root: the key of its chain. */
  readonly key: string;
  /** CID of the image root. */
  readonly imageRoot: string;
  /** `/ipfs/…` as a pull prints it. */
  readonly address: string;
  readonly names: readonly string[];
  readonly imageId: string;
  readonly platform: string;
  /** CIDs of the layer indexes, bottom first, each complete in `cas/`. */
  readonly indexes: readonly string[];
  /** Every byte is here and verified. */
  readonly complete: boolean;
}

/** How far an image is that is not whole yet, or was mounted since the station started. */
export interface LazyView {
  readonly key: string;
  readonly imageRoot: string;
  readonly names: readonly string[];
  /** Content bytes, and those that are here. */
  readonly bytes: number;
  readonly here: number;
  readonly state: 'fetching' | 'waiting' | 'verifying' | 'complete' | 'quarantined';
  /** Why, in plain words: `no peer has …`, `layer 2 is not what its diffID says`. */
  readonly why?: string;
  /** Plain bytes by peer. */
  readonly byPeer: Readonly<Record<string, number>>;
  readonly profile: 'none' | 'recording' | 'used' | 'here';
  readonly wireBytes: number;
}

export interface WantedLeaves {
  readonly key: string;
  /** Layer from the bottom, object in its index, leaves `[first, end)`. */
  readonly layer: number;
  readonly object: number;
  readonly first: number;
  readonly end: number;
  /** What a person calls it: for the log. */
  readonly path: string;
  /** Nobody waits for them yet. */
  readonly ahead?: boolean;
}

/**
 * Images that are used before they are here. One a manifest root, until all of it is here and verified: then it is an
 * image record like any pulled one. What is under way is durable: a station that starts anew goes on.
 */
export interface LazyImages {
  /**
   * Returns once every layer index is here (three round trips, the start-up profile's batch asked for in the third); the
   * rest comes by itself as `fetch.background` says. An image that is here whole is answered at once.
   * @throws Fault as `pull`; `denied/untrusted-image` where an id's answer is from nobody trusted: the message offers
   *   `--from <peer>`
   */
  open(options: LazyOpenOptions): Promise<MountableImage>;
  /** What may be mounted now without a peer: by key (manifest root). */
  get(key: string): MountableImage | undefined;
  list(): readonly LazyView[];
  /**
   * A read waits for these leaves. Resolves when they are readable in the file (`cas/` where complete, else `partial/`).
   * Waits for peers up to `mount.wait` in all, then `unavailable/no-peer-has-block`, and a log line that names image, file,
   * block and the peers asked. An image that was quarantined: `corrupt/quarantined`.
   */
  want(leaves: WantedLeaves, signal: AbortSignal): Promise<{ readonly complete: boolean }>;
  /** First uses in order, for the profile: `[layer, object, first leaf, end leaf]`. */
  touched(key: string, ranges: readonly (readonly [number, number, number, number])[]): void;
  /** Whether first uses are of interest: a mount that begins now, or one that runs, is recorded. */
  recording(key: string): boolean;
  /** A mount of it began, or the last one ended: it is not swept nor removed meanwhile, over restarts too. */
  used(key: string, mounted: boolean): void;
  /** Keys that count as mounted; after a start those of the last run, until `used` says otherwise. */
  mounted(): readonly string[];
  /** @throws Fault `busy/image-mounted` (fields: image) where a platform of the image root is mounted */
  checkUnused(imageRoot: string): void;
  /**
   * Gives up an image that is not whole yet, by key, image root, name or id prefix. Answers its image root, or nothing
   * where there is none. @throws Fault `busy/image-mounted`
   */
  remove(image: string): Promise<string | undefined>;
  /** Called when an image becomes complete, is quarantined, or is not recorded any more. Returns the unsubscribe. */
  onChange(listener: (key: string) => void): () => void;
  /** Goes on with what an earlier run of the station left. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}
