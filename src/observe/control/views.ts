import type { Digest } from '../../base/digest.ts';
import type { MountsView } from './mount-views.ts';

/** What a station shows of itself: plain JSON data, the answers of the control door. Sizes are bytes, times ms since 1970. */
export interface StationStatus {
  readonly version: string;
  readonly peerId: string;
  readonly root: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly network: NetworkView;
  /** What is shared: the setting with `auto` resolved. */
  readonly share: 'pushed' | 'pulled' | 'none';
  readonly addrs: readonly string[];
  /** Connected peers, and how many of them are stations. */
  readonly peers: number;
  readonly stations: number;
  readonly images: number;
  readonly usage: StoreUsageView;
  /** Resident memory of the station's process. */
  readonly memory: number;
  readonly operations: readonly OperationView[];
  readonly mounts: MountsView;
}

export interface StoreUsageView {
  readonly objects: number;
  readonly objectBytes: number;
  readonly partialBytes: number;
  readonly blocks: number;
  readonly blockBytes: number;
}

/** A push, pull, export or verify that runs now. */
export interface OperationView {
  readonly kind: string;
  readonly subject: string;
  readonly startedAt: number;
  readonly bytes: number;
  readonly total?: number;
}

export interface NetworkView {
  readonly kind: 'public' | 'private';
  readonly lanOnly: boolean;
  /** First 8 hex of the key's sha256, on a private network. */
  readonly fingerprint?: string;
  /** Dials and handshakes refused lately, newest first, in plain words. */
  readonly refusals: readonly string[];
}

export interface PeerView {
  readonly id: string;
  /** With `/p2p/<id>`. */
  readonly addr: string;
  readonly direction: 'inbound' | 'outbound';
  readonly station: boolean;
  readonly trusted: boolean;
  /** Milliseconds, measured. */
  readonly latency?: number;
  readonly received: number;
  readonly sent: number;
  /** Why it is not asked any more. */
  readonly dropped?: string;
}

export interface ImageSummary {
  /** CID of the image root. */
  readonly root: string;
  readonly publishedRoots: readonly string[];
  readonly names: readonly string[];
  readonly indexDigest?: Digest;
  readonly manifests: readonly ManifestSummary[];
  readonly state: 'pinned' | 'cached';
  readonly shared: boolean;
  /** Connected stations that hold it too; absent: not shared, not asked, or no answer in time. */
  readonly copies?: number;
  /** `push`, or the peer it was pulled from. */
  readonly origin: string;
  /** Distinct content bytes of its objects. */
  readonly contentSize: number;
  readonly keptBlobs: number;
  readonly keptBlobBytes: number;
  readonly createdAt: number;
  readonly usedAt: number;
}

export interface ManifestSummary {
  readonly root: string;
  readonly digest: Digest;
  readonly imageId: Digest;
  /** `os/arch[/variant]`. */
  readonly platform: string;
}

export interface ImageDetail extends ImageSummary {
  readonly layers: readonly LayerView[];
}

export interface LayerView {
  /** Of the manifest that holds it. */
  readonly platform: string;
  readonly index: number;
  readonly digest: Digest;
  readonly diffId?: Digest;
  readonly mediaType: string;
  /** Blob bytes as the manifest says. */
  readonly size: number;
  /** CID of the layer root; absent: a foreign layer without bytes. */
  readonly root?: string;
  readonly tarSize?: number;
  readonly entries?: number;
}

export interface RemoveResult {
  readonly root: string;
  readonly names: readonly string[];
  /** What a person should know, e.g. that no other station is known to hold it. */
  readonly notes: readonly string[];
}

export interface GcResult {
  readonly objects: number;
  readonly blocks: number;
  /** Given back on disk. */
  readonly bytes: number;
  /** Unreachable but kept for now by an open or interrupted operation. */
  readonly heldBytes: number;
}

export interface VerifyResult {
  readonly root: string;
  readonly layers: number;
  readonly objects: number;
  readonly bytes: number;
  /** What is not as it should be, one line each; empty: all is well. */
  readonly problems: readonly string[];
}

export interface PushResult {
  /** `/ipfs/<published root>/<id or name>`: the name as given, or 12 hex of the id that was given. */
  readonly address: string;
  readonly publishedRoot: string;
  readonly imageRoot: string;
  readonly manifests: readonly ManifestSummary[];
  readonly names: readonly string[];
  readonly network: 'public' | 'private';
  /** Addresses by which a peer can `connect` here, best first. */
  readonly addrs: readonly string[];
  readonly totals: TotalsView;
}

export interface PullResult {
  /** `/ipfs/<published root>/<id or name>`; the image root's own path where no published root is known. */
  readonly address: string;
  readonly imageRoot: string;
  readonly manifests: readonly ManifestSummary[];
  readonly indexDigest?: Digest;
  readonly names: readonly string[];
  /** Every compressed blob of the layers is here: an export has the original manifest digest. */
  readonly blobsKept: boolean;
  readonly totals: TotalsView;
}

export interface TotalsView {
  /** Content bytes of the image. */
  readonly bytes: number;
  /** Of them: were here already. */
  readonly here: number;
  /** Written to disk (push) or moved over the wire (pull). */
  readonly moved: number;
  readonly seconds: number;
}

/** One block and what it links, for `debug dag`. */
export interface DagView {
  readonly cid: string;
  /** `raw`, `directory`, `hamt`, `file`, `dag-cbor`, … */
  readonly kind: string;
  readonly size: number;
  readonly links: readonly { readonly name: string; readonly cid: string; readonly tsize: number }[];
}

/** A layer index in its text form, for `debug layer`. */
export interface LayerDump {
  readonly root: string;
  readonly entries: number;
  readonly objects: number;
  readonly indexBytes: number;
  readonly recipeBytes: number;
  /** One line an entry; at most 100,000, `truncated` says when more were there. */
  readonly lines: readonly string[];
  readonly truncated: boolean;
}
