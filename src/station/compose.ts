import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { toFault } from '../base/fault.ts';
import type { Identity } from '../config/identity-file.ts';
import { rootLayout } from '../config/root-layout.ts';
import type { Settings } from '../config/settings-table.ts';
import { createControlDoor } from '../doors/control/create-control-door.ts';
import type { SpawnSpec } from '../keeper/keeper-messages.ts';
import type { Logger } from '../observe/logger.ts';
import { openStore } from '../store/open-store.ts';
import { openSwarm } from '../swarm/open-swarm.ts';
import { createLazyImages } from '../transfer/lazy/create-lazy-images.ts';
import { createMountService } from './mounts/create-mount-service.ts';
import { createStationService } from './station-service.ts';
import {
  lazySettings,
  mountSettings,
  storeSettings,
  swarmSettings,
  transferSettings,
} from './station-settings.ts';

export interface StationParts {
  readonly root: string;
  readonly settings: Settings;
  readonly identity: Identity;
  readonly networkKey: Uint8Array | undefined;
  readonly log: Logger;
  readonly clock: Clock;
  /** How the keeper starts this station anew; absent: somebody else does, or nobody. */
  readonly respawn?: SpawnSpec;
  /** Called when a client asks the station to stop. */
  readonly onStop: () => void;
}

export interface Station {
  readonly peerId: string;
  /** In the reverse order of the start. Idempotent. */
  stop(): Promise<void>;
}

/** Mounts of an earlier run are taken over in milliseconds; a mount server that hangs does not keep the doors shut. */
const ADOPT_MS = 5_000;

/** The only place that constructs across rooms: store, swarm, transfers, mounts, doors, in this order. */
export async function composeStation(parts: StationParts): Promise<Station> {
  const { settings, identity, networkKey, log, clock } = parts;
  const layout = rootLayout(parts.root);
  const started: { readonly name: string; readonly stop: () => Promise<void> }[] = [];
  let stopped: Promise<void> | undefined;

  async function stopAll(): Promise<void> {
    for (const { name, stop } of started.reverse()) {
      try {
        await stop();
      } catch (error) {
        log.error({ part: name, error: String(error) }, 'a part of the station did not stop cleanly');
      }
    }
  }

  try {
    const store = await openStore(
      layout.root,
      { logger: log.child({ room: 'store' }), clock },
      storeSettings(settings),
    );
    started.push({ name: 'store', stop: () => store.close() });

    const swarm = await openSwarm(
      { store, identity, clock, logger: log.child({ room: 'swarm' }), random: Math.random },
      swarmSettings(settings, networkKey),
    );
    started.push({ name: 'swarm', stop: () => swarm.stop() });

    const isPrivate = networkKey !== undefined;
    const transfer = transferSettings(settings, {
      root: layout.root,
      isPrivate,
      arch: process.arch,
      os: process.platform,
    });
    const transfers = { store, swarm, clock, logger: log.child({ room: 'transfer' }) };
    const lazy = createLazyImages(transfers, { ...transfer, ...lazySettings(settings) });
    started.push({ name: 'lazy images', stop: () => lazy.stop() });
    await lazy.resume();

    const mounts = createMountService(
      { lazy, clock, logger: log.child({ room: 'mounts' }) },
      {
        root: layout.root,
        ...mountSettings(settings),
        ...(parts.respawn === undefined ? {} : { respawn: parts.respawn }),
      },
    );
    started.push({ name: 'mounts', stop: () => mounts.stop() });
    const adopted = mounts.resume().catch((error) => {
      log.error({ error: toFault(error).message }, 'mounts of an earlier run could not be taken over yet');
    });
    await Promise.race([adopted, sleep(ADOPT_MS, undefined, { ref: false })]);

    const service = createStationService(
      { ...transfers, lazy, mounts },
      {
        root: layout.root,
        startedAt: clock.now(),
        pushes: settings['limits.pushes'],
        pulls: settings['limits.pulls'],
        transfer,
        onStop: parts.onStop,
      },
    );
    const control = createControlDoor(service, { log: log.child({ room: 'control' }) });
    await control.listen(layout.controlSocket);
    started.push({ name: 'control', stop: () => control.close() });
  } catch (error) {
    await stopAll();
    throw error;
  }
  return {
    peerId: identity.peerId,
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}
