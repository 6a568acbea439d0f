import { systemClock } from '../../../src/base/clock.ts';
import { makeIdentity } from '../../../src/config/identity-file.ts';
import { type Logger, silentLogger } from '../../../src/observe/logger.ts';
import { type OpenSwarmSettings, openSwarm } from '../../../src/swarm/open-swarm.ts';
import { createLazyImages } from '../../../src/transfer/lazy/create-lazy-images.ts';
import type { LazySettings } from '../../../src/transfer/lazy/lazy-settings.ts';
import type { TransferComponents, TransferSettings } from '../../../src/transfer/transfer-components.ts';
import { openTestStore } from '../../store/store-fixture.ts';
import { loopbackSettings } from '../../swarm/network/test-network.ts';
import { testTransferSettings } from '../../transfer/support/transfer-settings.ts';
import { lazySettings } from './default-settings.ts';

export interface StationAtOptions {
  readonly lazy?: Partial<LazySettings>;
  readonly transfer?: Partial<TransferSettings>;
  readonly swarm?: Partial<OpenSwarmSettings>;
  readonly logger?: Logger;
}

/** Store, swarm and lazy images on a folder that the caller chose; nothing of jest, so that a process can be one. */
export async function stationAt(root: string, options: StationAtOptions = {}) {
  const logger = options.logger ?? silentLogger;
  const store = await openTestStore(root);
  const parts = { store, logger, clock: systemClock };
  const swarm = await openSwarm(
    { ...parts, identity: makeIdentity(), random: Math.random },
    {
      ...loopbackSettings,
      networkKey: Buffer.alloc(32, 9),
      resolveWaitMs: 2_000,
      fetch: {
        windowBytes: 32 * 1024 * 1024,
        waitMs: 1_500,
        treeMaxBytes: 64 * 1024 * 1024,
        compress: 'auto',
      },
      serve: { uploadLimit: 0 },
      ...options.swarm,
    },
  );
  const components: TransferComponents = { ...parts, swarm };
  const settings = { ...testTransferSettings, ...lazySettings, ...options.transfer, ...options.lazy, root };
  const lazy = createLazyImages(components, settings);
  return {
    root,
    components,
    settings,
    store,
    swarm,
    lazy,
    async stop() {
      await lazy.stop();
      await swarm.stop();
      await store.close();
    },
  };
}
