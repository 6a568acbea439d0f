import type { KeptBlob } from '../store/image-records.ts';
import type { BlockFetcher, Holdings } from './block-fetcher.ts';
import type { CatalogueProfile } from './catalogue/catalogue.ts';
import type { HeldImage, ImageQuery, NamedImage, Resolution } from './image-query.ts';

export interface PeerSummary {
  readonly id: string;
  /** With `/p2p/<id>`. */
  readonly addr: string;
  readonly direction: 'inbound' | 'outbound';
  /** Speaks `/shp/blocks/1`. */
  readonly station: boolean;
  readonly trusted: boolean;
  /** Milliseconds, measured. */
  readonly latency?: number;
  /** Plain bytes received from and sent to it. */
  readonly received: number;
  readonly sent: number;
  /** Why it is not asked any more, e.g. `sent wrong bytes for bafk…`. */
  readonly dropped?: string;
}

export interface NetworkSummary {
  readonly kind: 'public' | 'private';
  readonly lanOnly: boolean;
  /** First 8 hex of the key's sha256, on a private network. */
  readonly fingerprint?: string;
  /** Dials and handshakes refused lately, newest first, in plain words (a wrong network key is named as such). */
  readonly refusals: readonly string[];
}

export interface Trust {
  /** In rank order, first trusted most. */
  list(): readonly string[];
  /** @throws Fault `exists/already-trusted`, `invalid/bad-peer-id` */
  add(peer: string): Promise<void>;
  /** @throws Fault `not-found/not-trusted` */
  remove(peer: string): Promise<void>;
}

/** libp2p, Helia and all that is spoken over them; `openSwarm` in `open-swarm.ts` makes it. */
export interface Swarm {
  readonly peerId: string;
  readonly network: NetworkSummary;
  readonly trust: Trust;
  readonly fetcher: BlockFetcher;
  readonly holdings: Holdings;
  /** Listening addresses with `/p2p/<id>`. */
  addrs(): string[];
  peers(): PeerSummary[];
  /**
   * Dials `/…/p2p/<id>`, `/…/ipfs/<id>`, or an address without a peer id; answers the peer id.
   * @throws Fault `invalid/bad-address`, `denied/address-denied` (address lists), `denied/peer-dropped`,
   *   `denied/other-network` (message names the network key and our fingerprint), `unavailable/dial-failed`; each says
   *   why in fields.reason or its message
   */
  connect(addr: string, signal: AbortSignal): Promise<string>;
  /**
   * @param from ask this peer only (`--from`): its answer is taken as the user's choice
   * @throws Fault `not-found/unknown-image`, `invalid/ambiguous-id` (fields.digests), `invalid/id-too-short`,
   *   `invalid/bad-id`, `invalid/bad-reference`, `invalid/ambiguous-name` and `denied/untrusted-name` (fields.answers:
   *   `<peer> <root>`; the message offers `--from`), `unavailable/not-connected` (`from`), `cancelled`
   */
  resolve(query: ImageQuery, options: { from?: string; signal: AbortSignal }): Promise<Resolution>;
  /** Connected stations that hold this very image and share it, as far as they answer within 2 s. */
  holders(image: HeldImage, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * The compressed blobs that connected stations keep of this very image, each digest once. Claims: the digests prove
   * them when they are here.
   * @param options.from ask this peer only
   */
  keptBlobs(image: HeldImage, options: { from?: string; signal: AbortSignal }): Promise<readonly KeptBlob[]>;
  /** Start-up profiles of an image that trusted catalogues, else connected stations name within 2 s: a hint. */
  profiles(image: HeldImage | NamedImage, signal: AbortSignal): Promise<readonly CatalogueProfile[]>;
  stop(): Promise<void>;
}
