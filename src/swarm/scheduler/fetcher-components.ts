import type { CID } from 'multiformats/cid';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../observe/logger.ts';
import type { BlockStore } from '../../store/block-store.ts';
import type { TrafficBook } from '../lanes/lane-traffic.ts';
import type { PeerStreams } from '../network/peer-streams.ts';

export interface FetchSettings {
  /** `fetch.window`: plain bytes asked for and not yet taken by `onBlock`, over all fetches. */
  readonly windowBytes: number;
  /** `fetch.wait`: milliseconds without progress after which a fetch gives up. */
  readonly waitMs: number;
  /** `fetch.treeMax`: plain bytes of one tree reply. */
  readonly treeMaxBytes: number;
  /** `fetch.compress`: `auto` measures each peer's link. */
  readonly compress: 'auto' | 'never' | 'always';
}

/** Foreign IPFS nodes: the last resort. Answers bytes that the caller verifies; rejects when `signal` aborts. */
export interface BitswapSource {
  get(cid: CID, signal: AbortSignal): Promise<Uint8Array>;
}

export interface BlockFetcherComponents {
  readonly streams: PeerStreams;
  /** What is here: a walk by bitswap takes it from here. */
  readonly blocks: BlockStore;
  readonly bitswap: BitswapSource | undefined;
  readonly traffic: TrafficBook;
  readonly logger: Logger;
  readonly clock: Clock;
  /** 0 <= x < 1; where a fetch begins among equally rare blocks. */
  readonly random: () => number;
  /** The peer lied: closes its connections. It is not asked again while this station runs. */
  dropPeer(peer: string, reason: string): void;
}
