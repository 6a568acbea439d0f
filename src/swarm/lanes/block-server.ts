import type { Clock } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { Logger } from '../../observe/logger.ts';
import type { BlockStore } from '../../store/block-store.ts';
import type { ByteStream, PeerStreams } from '../network/peer-streams.ts';
import type { HoldingsBook } from './holdings-book.ts';
import { LANE_PROTOCOL } from './lane-limits.ts';
import type { TrafficBook } from './lane-traffic.ts';
import { Serving } from './serving.ts';
import { createUploadTurns } from './upload-turns.ts';

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

/** Lanes of one peer at once: one is in use, a second is there while the first, lost, is not noticed yet. */
const MAX_INBOUND = 2;

export function createBlockServer(components: BlockServerComponents, settings: ServeSettings): BlockServer {
  const { streams, logger, clock } = components;
  const turns = createUploadTurns(clock, settings.uploadLimit);
  const lanes = new Set<Serving>();
  let stopped = false;

  const accept = (stream: ByteStream, peer: string): void => {
    if (stopped) {
      stream.abort(new Fault('unavailable', 'station-stops', 'the station stops'));
      return;
    }
    const lane = new Serving(stream, {
      ...components,
      turns,
      closed(fault) {
        lanes.delete(lane);
        const level = fault.code === 'lane-violation' ? 'warn' : 'debug';
        logger[level]({ peer, code: fault.code, reason: fault.message }, 'a lane that served a peer closed');
      },
    });
    lanes.add(lane);
    lane.start();
  };

  return {
    start: () => streams.handle(LANE_PROTOCOL, accept, { maxInbound: MAX_INBOUND }),
    stop() {
      stopped = true;
      for (const lane of lanes) lane.close(new Fault('unavailable', 'station-stops', 'the station stops'));
    },
  };
}
