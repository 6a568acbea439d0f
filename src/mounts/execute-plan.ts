import { Fault } from '../base/fault.ts';
import type { Logger } from '../observe/logger.ts';
import type { MountCall, Syscalls } from '../syscalls/syscalls.ts';
import { type MountInfo, mountAt, readMountInfo } from './mountinfo.ts';
import { createRootProbe, type RootProbe } from './root-probe.ts';

export interface PlanComponents {
  readonly syscalls: Syscalls;
  readonly logger: Logger;
  readonly probe?: RootProbe;
}

export interface PlanSettings {
  /** Within this time the root of the new mount must answer a stat; ms. Default 5000. */
  readonly deadline?: number;
}

/**
 * Makes the mounts in order and verifies the last one: mountinfo shows it, and its root answers a stat within the
 * deadline. Whatever fails, what was mounted is unmounted again.
 * @returns the last mount as mountinfo shows it
 * @throws Fault of the call; `unavailable/mount-does-not-answer`; `internal/mount-not-seen`; `cancelled`
 */
export async function executePlan(
  { syscalls, logger, probe = createRootProbe() }: PlanComponents,
  calls: readonly MountCall[],
  signal: AbortSignal,
  { deadline = 5000 }: PlanSettings = {},
): Promise<MountInfo> {
  const made: MountCall[] = [];
  try {
    for (const call of calls) {
      if (signal.aborted)
        throw new Fault('cancelled', 'cancelled', `the mount of ${call.target} was cancelled`);
      await syscalls.mount(call);
      made.push(call);
    }
    return await verify(made.at(-1), probe, deadline, signal);
  } catch (error) {
    for (const call of made.reverse()) await undo(syscalls, logger, call);
    throw error;
  }
}

async function verify(
  call: MountCall | undefined,
  probe: RootProbe,
  deadline: number,
  signal: AbortSignal,
): Promise<MountInfo> {
  if (call === undefined) throw new Fault('invalid', 'empty-plan', 'a plan of no mounts');
  const { target, type, source } = call;
  const seen = mountAt(await readMountInfo(), target);
  if (seen === undefined || (type !== '' && (seen.filesystem !== type || seen.source !== source))) {
    // mount(2) follows links in its target and mountinfo shows where they lead, or somebody mounted over it since
    throw new Fault(
      'internal',
      'mount-not-seen',
      `no new mount is seen at ${target}: where a link leads there, name the folder itself`,
      {
        fields: { target, type },
      },
    );
  }
  await probe(target, deadline, signal);
  return seen;
}

/**
 * Detached: a mount that does not answer would refuse anything else; through the link that mount(2) followed, if there was
 * one. The first reason stays the one that is told.
 */
async function undo(syscalls: Syscalls, logger: Logger, { target }: MountCall): Promise<void> {
  try {
    await syscalls.unmount(target, { detach: true, follow: true });
  } catch (error) {
    logger.error({ target, error }, 'a mount that failed half-way could not be taken away');
  }
}
