import type { Clock } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import type { Logger } from '../observe/logger.ts';
import type { Store } from './store.ts';
import type { StoreSettings } from './store-settings.ts';

export interface StoreComponents {
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * Opens (or makes) the store below `root`, puts right what a crash left, and re-hashes what a power loss may have cut.
 * @throws Fault `busy/store-in-use` while another process has it open
 */
export async function openStore(
  _root: string,
  _components: StoreComponents,
  _settings: StoreSettings,
): Promise<Store> {
  throw new Fault('unsupported', 'not-built', 'the store is not built yet');
}
