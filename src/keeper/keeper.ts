import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, toFault } from '../base/fault.ts';
import { takeProcessLock } from '../config/process-lock.ts';
import { rootLayout } from '../config/root-layout.ts';
import { VERSION } from '../config/version.ts';
import { readMountInfo } from '../mounts/mountinfo.ts';
import type { Logger } from '../observe/logger.ts';
import type { Syscalls } from '../syscalls/syscalls.ts';
import { deviceHolder, forgetDeviceHolder, takeDevice } from './device-holder.ts';
import { mountFuse } from './fuse-mount.ts';
import { openKeeperDoor } from './keeper-door.ts';
import type { KeeperEnd, KeeperRequest, KeeperStatus, SpawnSpec } from './keeper-messages.ts';
import { createMountServerWatch, type MountServerWatch } from './mount-server-watch.ts';
import { detachOwnMounts, ownMounts } from './own-mounts.ts';
import { runLayout } from './run-layout.ts';
import { createStationWatch } from './station-watch.ts';

export interface KeeperComponents {
  readonly syscalls: Syscalls;
  readonly logger: Logger;
}

export interface KeeperSettings {
  /** Absolute, links resolved. */
  readonly root: string;
  readonly mountServer: SpawnSpec;
}

/** Who could not mount answers what it was for, then ends. */
const FAILED_MS = 2_000;
/** After an unmount the mount server sees the connection's end at once, unless open files keep it alive. */
const END_MS = 3_000;

/**
 * Holds /dev/fuse, so that the FUSE filesystem outlives the process that serves it, and keeps that process and the
 * station running. Resolves when there is nothing to keep any more.
 * @throws Fault `busy/locked`: another keeper runs for this root
 */
export async function runKeeper(components: KeeperComponents, settings: KeeperSettings): Promise<void> {
  const { syscalls, logger } = components;
  const layout = runLayout(settings.root);
  for (const folder of [layout.run, layout.empty]) makeFolder(folder);
  const lock = takeProcessLock(layout.keeperLock);
  const done = Promise.withResolvers<'ended' | 'replaced' | 'failed'>();
  const stations = createStationWatch(components, { log: rootLayout(settings.root).log });
  let servers: MountServerWatch | undefined;

  /** From a living mount server, else mounted anew. */
  async function watchServers(): Promise<MountServerWatch> {
    const holder = deviceHolder(layout.mountServer);
    const taken = holder === undefined ? undefined : takeDevice(syscalls, holder);
    if (holder !== undefined && taken === undefined) {
      throw new Fault(
        'unsupported',
        'device-not-taken',
        `the device of the mount server (process ${holder.pid}) cannot be taken over: its mounts go on until it ends`,
        { fields: { pid: holder.pid } },
      );
    }
    if (taken === undefined) {
      await clean();
      // not before: to look at it where a dead mount lies, or one that does not answer, fails or hangs
      makeFolder(layout.fuse);
    }
    const watch = createMountServerWatch(components, {
      server: settings.mountServer,
      device: taken ?? (await mountFuse(syscalls, layout.fuse)),
      note: layout.mountServer,
    });
    if (holder === undefined) watch.start();
    else watch.adopt(holder);
    logger.info({ adopted: holder?.pid, mountpoint: layout.fuse }, 'keeper holds the device');
    return watch;
  }

  /** What a FUSE connection that is no more left behind. */
  async function clean(): Promise<void> {
    await detachOwnMounts(components, layout.fuse);
    forgetDeviceHolder(layout.mountServer);
    for (const path of [layout.session, layout.chains, layout.mounts, layout.opens, layout.unanswered]) {
      rmSync(path, { force: true });
    }
  }

  const watching = watchServers().then((watch) => {
    servers = watch;
    return watch;
  });
  watching.catch((error) => {
    logger.error({ error: toFault(error).message }, 'the keeper has nothing to keep');
    setTimeout(() => done.resolve('failed'), FAILED_MS);
  });

  async function end(force: boolean): Promise<KeeperEnd> {
    const watch = await watching;
    const { overlays } = ownMounts(await readMountInfo(), layout.fuse);
    if (overlays.length > 0 && !force) throw mountsInUse(overlays.map(({ target }) => target));
    if (force) {
      watch.release();
      const unmounted = await detachOwnMounts(components, layout.fuse);
      // Without its last two holders the connection is aborted: what still reads gets ENOTCONN.
      watch.kill();
      done.resolve('ended');
      return { unmounted };
    }
    // Nothing lies on it, and nobody else may enter the folder: what makes it busy is at most a question of ours.
    await syscalls.unmount(layout.fuse, { detach: true }).catch((error) => {
      if (toFault(error).fields.errno !== 'EINVAL') throw error;
    });
    await Promise.race([done.promise, sleep(END_MS)]);
    return { unmounted: [] };
  }

  const status = (): KeeperStatus => ({
    pid: process.pid,
    version: VERSION,
    mountpoint: layout.fuse,
    ...(servers?.pid === undefined ? {} : { mountServer: servers.pid }),
    ...(stations.pid === undefined ? {} : { station: stations.pid }),
    mountServerRestarts: servers?.restarts ?? 0,
    stationRestarts: stations.restarts,
  });

  async function ensure(): Promise<KeeperStatus> {
    await (await watching).serving();
    const { fuse } = ownMounts(await readMountInfo(), layout.fuse);
    if (fuse.length === 0) throw lingering();
    return status();
  }

  const door = await openKeeperDoor(
    layout.keeperSocket,
    {
      async request(request: KeeperRequest, peer) {
        switch (request.ask) {
          case 'station':
            peer.role = { who: 'station', pid: request.pid };
            stations.connected(request.pid, request.respawn);
            return status();
          case 'mount-server':
            peer.role = { who: 'mount-server', pid: request.pid };
            (await watching).connected(request.pid);
            return status();
          case 'ensure':
            return ensure();
          case 'status':
            return status();
          case 'goodbye':
            stations.goodbye();
            return null;
          case 'replace-mount-server':
            await (await watching).replace();
            return status();
          case 'replace-keeper':
            await watching;
            // the answer goes out first
            setTimeout(() => done.resolve('replaced'), 0);
            return null;
          case 'end':
            return end(request.force);
          case 'ended':
            (await watching).release();
            setTimeout(() => done.resolve('ended'), 0);
            return null;
          default:
            throw new Fault('invalid', 'unknown-request', 'the keeper does not know this request');
        }
      },
      gone(peer) {
        if (peer.role?.who === 'station') stations.disconnected(peer.role.pid);
        if (peer.role?.who === 'mount-server') servers?.disconnected(peer.role.pid);
      },
    },
    logger,
  );
  const why = await done.promise;
  logger.info({ why }, 'keeper ends');
  stations.release();
  servers?.release();
  if (why === 'ended') {
    await clean();
    rmSync(layout.mountsSocket, { force: true });
  }
  rmSync(layout.keeperSocket, { force: true });
  await door.close();
  lock.release();
}

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

function mountsInUse(mounts: readonly string[]): Fault {
  return new Fault(
    'busy',
    'mounts-in-use',
    `images are mounted: ${mounts.join(', ')}; unmount them first (dkr-shp umount), or end them by force`,
    { fields: { mounts } },
  );
}

function lingering(): Fault {
  return new Fault(
    'busy',
    'old-mounts-in-use',
    'files of mounts that were detached are still open: end what uses them, or end the mounts by force (dkr-shp stop --all --force)',
  );
}
