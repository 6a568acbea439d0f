import type { CID } from 'multiformats/cid';
import type { BlockPlan } from '../image/dag/block-plan.ts';
import type { DagBlock } from '../image/dag/dag-block.ts';

/** demand: a read is waiting. profile: a start-up profile's batch. background: the rest. A higher one overtakes at once. */
export type WantClass = 'demand' | 'profile' | 'background';

export interface FetchProgress {
  /** Plain bytes of verified blocks. */
  readonly bytes: number;
  /** Bytes on the wire, compressed and framed. */
  readonly wireBytes: number;
  /** Peers that gave a block within the last 2 s. */
  readonly peers: number;
  readonly rate: number;
}

export interface FetchRequest {
  /** The manifest root that the plan belongs to: what availability is exchanged for. */
  readonly root: CID;
  readonly plan: BlockPlan;
  /** Indexes into the plan, in the order they are wanted. */
  readonly wanted: Uint32Array;
  readonly wantClass: WantClass;
  /** Ask these peers only (`--from`); else every connected station that has something of the root. */
  readonly peers?: readonly string[];
  /**
   * A verified block; its bytes are the callee's. Called once for each wanted index, in the order of arrival. The
   * fetcher keeps at most `fetch.window` bytes on their way, and waits while a returned promise is pending.
   */
  readonly onBlock: (index: number, bytes: Uint8Array, peer: string) => void | Promise<void>;
  /** It came by another fetch meanwhile: asked before a peer is, it is not handed over then. */
  readonly here?: (index: number) => boolean;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Milliseconds without progress after which it gives up; absent: `fetch.wait`. */
  readonly waitMs?: number;
  readonly signal: AbortSignal;
}

export interface FetchReport {
  readonly bytes: number;
  readonly wireBytes: number;
  /** Plain bytes by peer id. */
  readonly byPeer: Readonly<Record<string, number>>;
}

export interface TreeRequest {
  readonly root: CID;
  /** Names below the root that lead to the image root, e.g. `['jbenet', 'go-ipfs']`. */
  readonly path: readonly string[];
  /** `os/arch[/variant]`: one platform's manifest root; `all`; absent: this machine's. */
  readonly platform?: string;
  /** Layer roots whose index and recipe nodes are here already: not sent again. */
  readonly have: readonly CID[];
  readonly peers?: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * The one scheduler that decides all fetches from other stations. Peers are ranked by measured latency and
 * throughput, each gets in flight what it has earned, a late block is asked of the next best one as well, a peer
 * that lies is dropped and remembered, one that stalls loses its share. Foreign IPFS nodes by bitswap come last.
 */
export interface BlockFetcher {
  /**
   * Fetches with the very same plan give each other their blocks: what one of them is asked for first comes for all, as
   * its class says, and is not fetched twice.
   * @throws Fault `unavailable/no-peer-has-block` (fields: block, peers asked) after `fetch.wait` without progress;
   *   `cancelled`
   */
  fetch(request: FetchRequest): Promise<FetchReport>;
  /**
   * The blocks from the root along the path down to manifest, config, layer roots, all of each layer's index, and the
   * inner nodes of recipes (not their leaves), parents before children, each checked against its CID. One round trip
   * to the peer that answers first; stations are asked before bitswap.
   */
  tree(request: TreeRequest): AsyncIterable<DagBlock & { readonly peer: string }>;
  /** Opens lanes to the stations connected, so that what is fetched soon need not wait for them. Returns at once. */
  warm(): void;
  /** One block: a station's lane where one has it, else bitswap. @throws Fault `unavailable/no-peer-has-block` */
  block(cid: CID, options: { peers?: readonly string[]; signal: AbortSignal }): Promise<Uint8Array>;
}

/** What this station holds of a manifest root, for peers that ask; a pull reports into it block by block. */
export interface Holdings {
  /** Live: the bitmap grows while the pull runs, bit i = plan index i, and peers get deltas at most every 500 ms. */
  track(root: CID, bitmap: Uint8Array): HoldingsTrack;
}

export interface HoldingsTrack {
  /** The bitmap changed. Cheap: call it for each block. */
  changed(): void;
  /** The pull ended; a complete image is known from the image records. */
  end(): void;
}
