import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../observe/logger.ts';
import type { BlockStore } from '../../store/block-store.ts';
import type { PeerStreams } from '../network/peer-streams.ts';
import type { HoldingsBook } from './holdings-book.ts';
import type { TrafficBook } from './lane-traffic.ts';

export interface ServeSettings {
  /** `serve.uploadLimit`: wire bytes a second over all peers together; 0: no limit. */
  readonly uploadLimit: number;
}

export interface BlockServerComponents {
  readonly streams: PeerStreams;
  /** Always asked with `sharedOnly`. */
  readonly blocks: BlockStore;
  readonly holdings: HoldingsBook;
  readonly traffic: TrafficBook;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Answers `/shp/blocks/1` for every peer that opens a lane. */
export interface BlockServer {
  /** Takes inbound lanes from now on. */
  start(): void;
  /** Ends all lanes that peers have open here. */
  stop(): void;
}

export function createBlockServer(_components: BlockServerComponents, _settings: ServeSettings): BlockServer {
  throw new Error('unfinished');
}
