import { toFault } from '../base/fault.ts';
import { type MountInfo, readMountInfo } from '../mounts/mountinfo.ts';
import { OVERLAY_SOURCE } from '../mounts/overlay-plan.ts';
import type { Logger } from '../observe/logger.ts';
import type { Syscalls } from '../syscalls/syscalls.ts';

/** What of a mount table is ours. */
export interface OwnMounts {
  /** FUSE at exactly our mountpoint. */
  readonly fuse: readonly MountInfo[];
  /** Overlays whose lowest layer lies in it, wherever they are mounted. */
  readonly overlays: readonly MountInfo[];
}

/** @param fuse `<root>/run/fuse` */
export function ownMounts(mounts: readonly MountInfo[], fuse: string): OwnMounts {
  return {
    fuse: mounts.filter(({ target, filesystem }) => target === fuse && filesystem === 'fuse.shp'),
    overlays: mounts.filter((mount) => chainOfOverlay(mount, fuse) !== undefined),
  };
}

/** The key of the chain that an overlay of ours shows; `undefined` for any other mount. */
export function chainOfOverlay(
  { filesystem, source, superOptions }: MountInfo,
  fuse: string,
): string | undefined {
  if (filesystem !== 'overlay' || source !== OVERLAY_SOURCE) return undefined;
  // Which characters of a path are shown with a backslash differs between kernels.
  const options = superOptions.replaceAll('\\', '');
  const lower = `lowerdir=${fuse.replaceAll('\\', '')}/t/`;
  const at = options.indexOf(lower);
  return at === -1 ? undefined : /^[^:,/]*/.exec(options.slice(at + lower.length))?.[0];
}

/**
 * Takes away what nobody serves any more: each of it would answer `Transport endpoint is not connected` for ever. Detached,
 * never opened or looked at; the last one mounted first.
 * @returns targets of the overlays
 */
export async function detachOwnMounts(
  components: { readonly syscalls: Syscalls; readonly logger: Logger },
  fuse: string,
): Promise<readonly string[]> {
  const { syscalls, logger } = components;
  const own = ownMounts(await readMountInfo(), fuse);
  for (const { target } of [...own.overlays.toReversed(), ...own.fuse.toReversed()]) {
    try {
      await syscalls.unmount(target, { detach: true });
      logger.warn({ target }, 'unmounted: its mount server is gone');
    } catch (error) {
      logger.error({ target, error: toFault(error).message }, 'a dead mount could not be unmounted');
    }
  }
  return own.overlays.map(({ target }) => target);
}
