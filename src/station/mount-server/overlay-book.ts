import type { Clock } from '../../base/clock.ts';
import { Fault, toFault } from '../../base/fault.ts';
import { chainOfOverlay } from '../../keeper/own-mounts.ts';
import { executePlan } from '../../mounts/execute-plan.ts';
import type { MountedView, OverlayMountSpec } from '../../mounts/link/link-messages.ts';
import { type MountInfo, mountAt, readMountInfo } from '../../mounts/mountinfo.ts';
import { chainFolder, type OverlayPaths, planOverlay } from '../../mounts/overlay-plan.ts';
import { createRootProbe } from '../../mounts/root-probe.ts';
import { unmount } from '../../mounts/unmount.ts';
import { dressUpper } from '../../mounts/upper-root.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Syscalls } from '../../syscalls/syscalls.ts';
import { readState, writeState } from './state-file.ts';

/** The overlays on our chains: what we mounted, held against what mountinfo shows. */
export interface OverlayBook {
  list(): Promise<readonly MountedView[]>;
  /** Once mountinfo shows it and its root answers a stat. @throws Fault `exists/already-mounted`, those of mount(2) */
  mount(spec: OverlayMountSpec, signal: AbortSignal): Promise<MountedView>;
  /** @throws Fault `not-found/not-mounted`, `busy/mount-in-use` */
  unmount(target: string, lazy: boolean, signal: AbortSignal): Promise<void>;
}

export interface OverlayBookComponents {
  readonly syscalls: Syscalls;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** @param path `<root>/run/mounts.json` */
export function openOverlayBook(
  { syscalls, clock, logger }: OverlayBookComponents,
  { path, paths }: { readonly path: string; readonly paths: OverlayPaths },
): OverlayBook {
  const booked = new Map<string, MountedView>();
  for (const view of (readState(path) ?? []) as readonly MountedView[]) booked.set(view.target, view);
  const busy = new Set<string>();
  const probe = createRootProbe();

  const save = (): void => writeState(path, [...booked.values()]);

  /** Ours that lies at `target`, whoever remembers it. */
  function ours(mounts: readonly MountInfo[], target: string): MountInfo | undefined {
    const seen = mountAt(mounts, target);
    return seen !== undefined && chainOfOverlay(seen, paths.fuse) !== undefined ? seen : undefined;
  }

  /** A server that was killed right behind mount(2) left one that is in no book. */
  function adoptUnbooked(mounts: readonly MountInfo[]): void {
    for (const mount of mounts) {
      const chain = chainOfOverlay(mount, paths.fuse);
      if (chain === undefined || booked.has(mount.target) || busy.has(mount.target)) continue;
      booked.set(mount.target, unbookedView(mount, chain, clock.now()));
      logger.info({ target: mount.target, chain }, 'found a mount of an earlier mount server');
      save();
    }
  }

  /** One call a target at a time: two mounts would lie on each other. */
  async function alone<T>(target: string, work: () => Promise<T>): Promise<T> {
    if (busy.has(target)) {
      throw new Fault('busy', 'mountpoint-busy', `${target} is just being mounted or unmounted`, {
        fields: { target },
      });
    }
    busy.add(target);
    try {
      return await work();
    } finally {
      busy.delete(target);
    }
  }

  return {
    async list() {
      const mounts = await readMountInfo();
      adoptUnbooked(mounts);
      return [...booked.values()].map((view) =>
        ours(mounts, view.target) === undefined ? { ...view, gone: true } : view,
      );
    },
    mount: (spec, signal) =>
      alone(spec.target, async () => {
        if (ours(await readMountInfo(), spec.target) !== undefined) throw alreadyMounted(spec.target);
        const { upper } = spec;
        // Before the mount, from the tree itself: the FUSE thread answers it, whose data is here.
        if (upper !== undefined) {
          await dressUpper({ syscalls, logger }, chainFolder(paths.fuse, spec.chain), upper.upper);
        }
        await executePlan({ syscalls, logger, probe }, planOverlay(spec, paths), signal);
        const view: MountedView = { ...spec, mountedAt: clock.now() };
        booked.set(spec.target, view);
        save();
        logger.info({ target: spec.target, chain: spec.chain }, 'mounted');
        return view;
      }),
    unmount: (target, lazy, signal) =>
      alone(target, async () => {
        const isThere = ours(await readMountInfo(), target) !== undefined;
        if (!isThere && !booked.has(target)) throw notMounted(target);
        if (isThere) await unmount({ syscalls, clock }, target, { lazy, signal }).catch(unlessGone);
        booked.delete(target);
        save();
        logger.info({ target, lazy }, 'unmounted');
      }),
  };
}

function unbookedView(mount: MountInfo, chain: string, mountedAt: number): MountedView {
  const folder = (name: string): string | undefined =>
    new RegExp(`(?:^|,)${name}=((?:\\\\.|[^,\\\\])*)`).exec(mount.superOptions)?.[1]?.replace(/\\(.)/g, '$1');
  const upper = folder('upperdir');
  const work = folder('workdir');
  return {
    chain,
    target: mount.target,
    ...(upper === undefined || work === undefined ? {} : { upper: { upper, work } }),
    suid: !mount.options.includes('nosuid'),
    dev: !mount.options.includes('nodev'),
    mountedAt,
  };
}

function unlessGone(error: unknown): void {
  if (toFault(error).code !== 'not-mounted') throw error;
}

function alreadyMounted(target: string): Fault {
  return new Fault('exists', 'already-mounted', `an image is mounted at ${target} already`, {
    fields: { target },
  });
}

function notMounted(target: string): Fault {
  return new Fault('not-found', 'not-mounted', `no image is mounted at ${target}`, { fields: { target } });
}
