import { type Clock, systemClock } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import type { Syscalls } from '../syscalls/syscalls.ts';
import { findMountUsers } from './mount-users.ts';
import { type MountInfo, mountAt, mountsBelow, readMountInfo } from './mountinfo.ts';

export interface UnmountComponents {
  readonly syscalls: Syscalls;
  readonly clock?: Clock;
}

export interface UnmountRequest {
  /** Detach it now and let who uses it finish (MNT_DETACH). */
  readonly lazy: boolean;
  readonly signal: AbortSignal;
}

/**
 * Unmounts what is seen at `target`.
 * @throws Fault `not-found/not-mounted`; `busy/mount-in-use`: `fields.processes` has `name (pid): use path` of who uses it
 *   as far as /proc tells, `fields.mounts` the mounts that lie in it; `cancelled` before anything was done
 */
export async function unmount(
  { syscalls, clock = systemClock }: UnmountComponents,
  target: string,
  { lazy, signal }: UnmountRequest,
): Promise<void> {
  const mounts = await readMountInfo();
  const mount = mountAt(mounts, target);
  if (mount === undefined) throw notMounted(target);
  if (signal.aborted) throw new Fault('cancelled', 'cancelled', `the unmount of ${target} was cancelled`);
  try {
    await syscalls.unmount(target, { detach: lazy });
  } catch (error) {
    const errno = error instanceof Fault ? error.fields['errno'] : undefined;
    // EINVAL: somebody else was faster (umount(2): not a mount point)
    if (errno === 'EINVAL') throw notMounted(target);
    if (errno === 'EBUSY') throw await inUse(clock, target, mount, mounts, error);
    throw error;
  }
}

async function inUse(
  clock: Clock,
  target: string,
  mount: MountInfo,
  before: readonly MountInfo[],
  cause: unknown,
): Promise<Fault> {
  const mounts = mountsBelow(before, mount).map((below) => below.target);
  const users = await findMountUsers({ clock }, target);
  const processes = users.map(({ name, pid, use, path }) => `${name} (${pid}): ${use} ${path}`);
  const who = [
    ...users.map(({ name, pid }) => `${name} (${pid})`),
    ...mounts.slice(0, 16).map((below) => `a mount at ${below}`),
  ];
  return new Fault(
    'busy',
    'mount-in-use',
    `${target} is in use${who.length === 0 ? ', though no process here shows it' : ` by ${who.join(', ')}`}: end that first, or detach it (--lazy)`,
    { cause, fields: { target, processes, mounts } },
  );
}

function notMounted(target: string): Fault {
  return new Fault('not-found', 'not-mounted', `nothing is mounted at ${target}`, { fields: { target } });
}
