import { toFault } from '../../base/fault.ts';
import type { MountedView, OverlayMountSpec } from '../../mounts/link/link-messages.ts';
import type { LinkHold } from './link-hold.ts';

/** Mounts through whichever mount server there is: one that ended before it answered may have done it. */
export async function makeMount(
  link: LinkHold,
  spec: OverlayMountSpec,
  signal: AbortSignal,
): Promise<MountedView> {
  let again = false;
  return link.call(async (client) => {
    const { mounts } = again ? await client.status(signal) : { mounts: [] };
    again = true;
    const there = mounts.find(({ target, gone }) => target === spec.target && gone !== true);
    return there ?? client.mount(spec, signal);
  }, signal);
}

/**
 * Unmounts, likewise.
 * @param isLazy detached where it is in use
 * @returns whether somebody still uses what was detached
 */
export async function takeAway(
  link: LinkHold,
  target: string,
  isLazy: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  let again = false;
  const unmount = (lazily: boolean): Promise<void> =>
    link.call(async (client) => {
      try {
        await client.unmount(target, lazily, signal);
      } catch (error) {
        if (!again || toFault(error).code !== 'not-mounted') throw error;
      } finally {
        again = true;
      }
    }, signal);
  try {
    await unmount(false);
    return false;
  } catch (error) {
    if (!isLazy || toFault(error).code !== 'mount-in-use') throw error;
    await unmount(true);
    return true;
  }
}
