import type { Clock } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import type { Identity } from '../config/identity-file.ts';
import type { Logger } from '../observe/logger.ts';
import type { Store } from '../store/store.ts';
import type { ServeSettings } from './lanes/block-server.ts';
import type { FetchSettings } from './scheduler/create-block-fetcher.ts';
import type { Swarm } from './swarm.ts';
import type { SwarmSettings } from './swarm-settings.ts';

export interface SwarmComponents {
  readonly store: Store;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly identity: Identity;
  /** 0 <= x < 1 */
  readonly random: () => number;
}

/**
 * Starts the peer: listens, finds stations, serves what is shared. Peers that cannot be reached delay nothing.
 * @throws Fault `unavailable/cannot-listen` (fields: addr) when no listening address could be taken
 */
export async function openSwarm(
  _components: SwarmComponents,
  _settings: SwarmSettings & { readonly fetch: FetchSettings; readonly serve: ServeSettings },
): Promise<Swarm> {
  throw new Fault('unsupported', 'not-built', 'the swarm is not built yet');
}
