import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { Fault, toFault } from '../../base/fault.ts';
import { VERSION } from '../../config/version.ts';
import { deviceHolder } from '../../keeper/device-holder.ts';
import type { KeeperEnd, KeeperStatus, SpawnSpec } from '../../keeper/keeper-messages.ts';
import { type MountSettings, writeMountSettings } from '../../keeper/mount-settings.ts';
import { ownMounts } from '../../keeper/own-mounts.ts';
import { runLayout } from '../../keeper/run-layout.ts';
import type { MountedView } from '../../mounts/link/link-messages.ts';
import { readMountInfo } from '../../mounts/mountinfo.ts';
import type { Logger } from '../../observe/logger.ts';
import type { LazyImages, MountableImage } from '../../transfer/lazy/lazy-images.ts';
import { checkFuse } from './fuse-check.ts';
import { createKeeperHold } from './keeper-hold.ts';
import { createKeyTurns } from './key-turns.ts';
import { createLinkHold } from './link-hold.ts';
import type { MountOptions, MountService, StationMount, Unmounted } from './mount-service.ts';
import { makeMount, takeAway } from './overlay-calls.ts';
import { resolveTarget } from './resolve-target.ts';
import { upgradeProcesses } from './upgrade.ts';
import { createUppers } from './uppers.ts';
import { createUsedChains } from './used-chains.ts';

export interface MountServiceComponents {
  readonly lazy: LazyImages;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface MountServiceSettings extends MountSettings {
  /** Absolute; it is there. */
  readonly root: string;
  /** How the keeper starts this station anew; absent: somebody else does (systemd). */
  readonly respawn?: SpawnSpec;
  /** Of this package: VERSION unless told. */
  readonly version?: string;
}

/** Answers of processes of this machine, mount(2) included. */
const ANSWER_MS = 30_000;
const END_MS = 15_000;

/** See {@link MountService}. */
export function createMountService(
  { lazy, clock, logger }: MountServiceComponents,
  settings: MountServiceSettings,
): MountService {
  const root = realpathSync(settings.root);
  const layout = runLayout(root);
  const uppers = createUppers(join(root, 'uppers'));
  const used = createUsedChains({ lazy, logger });
  // A chain is not forgotten between its registration and its mount.
  const turns = createKeyTurns();
  const keeper = createKeeperHold({ logger }, { ...settings, root, socket: layout.keeperSocket });
  const link = createLinkHold(
    {
      handler: {
        want: ({ chain, layer, object, first, end, path, ahead = false }, signal) =>
          lazy.want({ key: chain, layer, object, first, end, path, ahead }, signal),
        touched: ({ touched, ranges }) => lazy.touched(touched, ranges),
      },
      logger,
      onConnected: async (client) => {
        await used.adopt(client, await client.status(limit()), limit());
      },
    },
    { path: layout.mountsSocket },
  );
  const forgetListener = lazy.onChange((key) => {
    if (!link.isOpen || !used.has(key)) return;
    link
      .call((client) => used.changed(client, key, limit()), limit())
      .catch((error) => {
        logger.warn({ key, error: toFault(error).message }, 'the mount server could not be told of a change');
      });
  });
  let stopped: Promise<void> | undefined;

  async function ensure(signal: AbortSignal): Promise<void> {
    await checkFuse(root, layout);
    mkdirSync(layout.run, { recursive: true, mode: 0o700 });
    writeMountSettings(layout.mountSettings, settings);
    await keeper.ensure(signal);
    link.open();
    await link.client(signal);
  }

  async function views(): Promise<readonly MountedView[]> {
    if (!link.isOpen) return [];
    return (await link.call((client) => client.status(limit()), limit())).mounts;
  }

  async function list(): Promise<readonly StationMount[]> {
    return (await views()).map(stationMount);
  }

  /** Within the key's turn. */
  async function forgetUnused(key: string): Promise<void> {
    if ((await views()).some(({ chain, gone }) => chain === key && gone !== true)) return;
    await link.call((client) => used.forget(client, key, limit()), limit());
  }

  async function mountOne(
    image: MountableImage,
    target: string,
    { writable = false, suid = false, dev = false }: MountOptions,
    signal: AbortSignal,
  ): Promise<StationMount> {
    const { key } = image;
    await link.call((client) => used.add(client, image, limit()), signal);
    const upper = writable ? await uppers.create({ target, key, mountedAt: clock.now() }) : undefined;
    const spec = { chain: key, target, ...(upper === undefined ? {} : { upper }), suid, dev };
    try {
      // Not cut short: the mount server would make it all the same, over folders that are gone by then.
      const made = await makeMount(link, spec, limit());
      if (!signal.aborted) return stationMount(made);
      await takeAway(link, target, true, limit());
      throw signal.reason;
    } catch (error) {
      if (upper !== undefined) await uppers.remove(upper.upper);
      await forgetUnused(key).catch(() => {});
      throw error;
    }
  }

  async function unmountOne(
    mount: MountedView,
    options: { readonly lazy: boolean; readonly keep: boolean },
  ): Promise<Unmounted> {
    const { target, chain, upper } = mount;
    // Before it is unmounted: a station that ends in between must not let the next umount remove it.
    if (upper !== undefined && options.keep) await uppers.keep(upper.upper, true);
    let isUsed: boolean;
    try {
      isUsed = await takeAway(link, target, options.lazy, limit());
    } catch (error) {
      if (upper !== undefined && options.keep) await uppers.keep(upper.upper, false);
      throw error;
    }
    // Whoever still has files of it open reads on: its data stays, and so does what it writes.
    if (!isUsed) await turns.run(chain, () => forgetUnused(chain));
    if (upper === undefined) return { target };
    if (isUsed && !options.keep) await uppers.keep(upper.upper, true);
    if (isUsed || options.keep) return { target, kept: upper.upper };
    await uppers.remove(upper.upper);
    return { target, removed: upper.upper };
  }

  /** What is left of a writable mount whose mount server is gone. */
  async function tidyUpper(target: string, keep: boolean): Promise<Unmounted> {
    const inUse = new Set((await views()).map(({ upper }) => upper?.upper));
    const left = (await uppers.leftAt(target)).find(({ upper }) => !inUse.has(upper));
    if (left === undefined) throw notMounted(target);
    if (keep) {
      await uppers.keep(left.upper, true);
      return { target, kept: left.upper };
    }
    await uppers.remove(left.upper);
    return { target, removed: left.upper };
  }

  async function endKeeper(force: boolean): Promise<KeeperEnd> {
    link.close();
    try {
      return (await keeper.ask({ ask: 'end', force }, AbortSignal.timeout(END_MS))) as KeeperEnd;
    } catch (error) {
      // It ends with its mount server, which may be quicker than its answer.
      if (toFault(error).code !== 'keeper-gone') throw error;
      return { unmounted: [] };
    }
  }

  /** Without a mount the processes behind them go too; one that does not answer stays. */
  async function stopAll(): Promise<void> {
    forgetListener();
    if (link.isOpen) {
      try {
        if ((await views()).every(({ gone }) => gone === true)) await endKeeper(false);
      } catch (error) {
        logger.info({ error: toFault(error).message }, 'the mounts go on without the station');
      }
      link.close();
    }
    await keeper.close();
  }

  return {
    async resume() {
      if ((await keeper.find()) || deviceHolder(layout.mountServer) !== undefined) {
        writeMountSettings(layout.mountSettings, settings);
        // First: reads wait, whatever else is wrong.
        link.open();
        await keeper.ensure(limit());
        await link.client(limit());
        await upgradeProcesses({ keeper, link, logger }, settings.version ?? VERSION, limit());
        return;
      }
      used.clear();
      const { fuse, overlays } = ownMounts(await readMountInfo(), layout.fuse);
      if (fuse.length === 0 && overlays.length === 0) return;
      logger.warn(
        { mounts: overlays.map(({ target }) => target) },
        'these mounts lost keeper and mount server: they are taken away',
      );
      await ensure(limit());
      await endKeeper(false);
    },
    ensure,
    async mount(image, target, options, signal) {
      await ensure(signal);
      const at = await resolveTarget(
        target,
        (await views()).filter(({ gone }) => gone !== true).map((view) => view.target),
      );
      return turns.run(image.key, () => mountOne(image, at, options, signal));
    },
    async unmount(target, { lazy: isLazy = false, keep = false }, signal) {
      const mount = (await views()).find(isAt(target));
      if (mount === undefined) return tidyUpper(target, keep);
      signal.throwIfAborted();
      return unmountOne(mount, { lazy: isLazy, keep });
    },
    list,
    async uppers() {
      const inUse = new Set((await views()).map(({ upper }) => upper?.upper));
      return (await uppers.list()).filter(({ upper }) => !inUse.has(upper));
    },
    async status() {
      if (!link.isOpen) return {};
      const [server, kept] = await Promise.allSettled([
        link.call((client) => client.status(limit()), limit()),
        keeper.ask({ ask: 'status' }, limit()),
      ]);
      return {
        ...(kept.status === 'fulfilled' ? { keeper: kept.value as KeeperStatus } : {}),
        ...(server.status === 'fulfilled'
          ? { server: server.value }
          : { why: toFault(server.reason).message }),
      };
    },
    async frames() {
      if (!link.isOpen) return undefined;
      return link.call((client) => client.frames(limit()), limit()).catch(() => undefined);
    },
    async release({ all, force }) {
      const mounts = (await list()).filter(({ gone }) => gone !== true);
      if (!all) return { left: mounts, unmounted: [] };
      if (mounts.length > 0 && !force) throw mountsInUse(mounts);
      if (link.isOpen) {
        await endKeeper(force);
        used.clear();
        for (const { upper } of mounts)
          if (upper !== undefined) logger.info({ upper }, 'what was written is kept');
      }
      return { left: [], unmounted: mounts };
    },
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}

function limit(): AbortSignal {
  return AbortSignal.timeout(ANSWER_MS);
}

const isAt =
  (target: string) =>
  (view: MountedView): boolean =>
    view.target === target;

function stationMount({ chain, target, mountedAt, suid, dev, upper, gone }: MountedView): StationMount {
  return {
    target,
    key: chain,
    mountedAt,
    suid: suid === true,
    dev: dev === true,
    ...(upper === undefined ? {} : { upper: upper.upper }),
    ...(gone === true ? { gone } : {}),
  };
}

function notMounted(target: string): Fault {
  return new Fault('not-found', 'not-mounted', `no image is mounted at ${target}`, { fields: { target } });
}

function mountsInUse(mounts: readonly StationMount[]): Fault {
  const targets = mounts.map(({ target }) => target);
  return new Fault(
    'busy',
    'mounts-in-use',
    `images are mounted at ${targets.join(', ')}: unmount them first (dkr-shp umount), or end them too (stop --all --force)`,
    { fields: { mounts: targets } },
  );
}
