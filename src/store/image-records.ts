import type { Digest } from '../base/digest.ts';

/** A compressed blob kept with its exact bytes as an object (gzip cannot be remade byte for byte). */
export interface KeptBlob {
  readonly digest: Digest;
  /** The UnixFS file of its exact bytes. */
  readonly cid: string;
  readonly size: number;
  readonly mediaType: string;
}

export interface LayerRecord {
  /** Where the layer is a tar of a config with diffIDs. */
  readonly diffId?: Digest;
  /** As the manifest names the blob. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Blob bytes as the manifest says. */
  readonly size: number;
  /** CID of the layer root, or of the UnixFS file where the blob is no tar; absent: a foreign layer without bytes. */
  readonly root?: string;
  /** Bytes of the uncompressed tar. */
  readonly tarSize?: number;
}

export interface ManifestRecord {
  /** CID of the manifest root. */
  readonly root: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly imageId: Digest;
  /** `os/arch[/variant]` as the index or config says. */
  readonly platform: string;
  readonly layers: readonly LayerRecord[];
}

/** A start-up profile: what of the content is used first, as one block (docs/dag-format.md). */
export interface ImageProfile {
  /** CID of the manifest root whose content it lists. */
  readonly root: string;
  /** CID of the profile, and its bytes. */
  readonly profile: string;
  readonly size: number;
  readonly source: 'recorded' | 'imported' | 'catalogue';
  /** Ranges of leaves, the content bytes that they cover, and the runs that were merged. */
  readonly ranges: number;
  readonly bytes: number;
  readonly runs: number;
  /** CIDs of the runs recorded here, oldest first: each a profile of its own. */
  readonly recorded: readonly string[];
}

/** pinned: pushed, pulled, followed. cached: goes least recently used first when `store.cacheMax` is reached. */
export type ImageState = 'pinned' | 'cached';

export interface ImageRecord {
  /** CID of the image root: the record's key. */
  readonly root: string;
  /** Digest of index.json where there is one. */
  readonly indexDigest?: Digest;
  /** The manifests whose data is here. */
  readonly manifests: readonly ManifestRecord[];
  readonly names: readonly string[];
  /** Published roots that name this image, newest last. */
  readonly publishedRoots: readonly string[];
  readonly state: ImageState;
  /** In the catalogue, its objects shared. */
  readonly shared: boolean;
  readonly keptBlobs: readonly KeptBlob[];
  /** One a manifest root at most; what of them is not here is no fault. */
  readonly profiles?: readonly ImageProfile[];
  /** `push`, or the peer it was pulled from. */
  readonly origin: string;
  /** Distinct content bytes of its objects. */
  readonly contentSize: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly usedAt: number;
}

/** The images of this station; every change is durable when its promise resolves. */
export interface ImageRecords {
  all(): Iterable<ImageRecord>;
  get(root: string): ImageRecord | undefined;
  /** Images whose image ID, manifest or index digest begins with the hex digits `prefix`. */
  byId(prefix: string): ImageRecord[];
  byName(name: string): ImageRecord[];
  /**
   * Writes or replaces a record and so pins what it names, in one transaction; sets the shared marks when it is shared.
   * Everything it names must be complete here.
   */
  put(record: ImageRecord): Promise<void>;
  /** Forgets the image; its data goes with the next sweep. Answers false when there was none. */
  remove(root: string): Promise<boolean>;
  /** Marks as used now, for least-recently-used order. */
  touch(root: string): void;
  /** Called after each durable change (catalogue, sweep). Returns the unsubscribe. */
  onChange(listener: () => void): () => void;
}
