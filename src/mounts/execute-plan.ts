import type { Logger } from '../observe/logger.ts';
import type { MountCall, Syscalls } from '../syscalls/syscalls.ts';
import type { MountInfo } from './mountinfo.ts';

export interface PlanComponents {
  readonly syscalls: Syscalls;
  readonly logger: Logger;
}

export interface PlanSettings {
  /** Within this time the root of the new mount must answer a stat; ms. Default 5000. */
  readonly deadline?: number;
}

/**
 * Makes the mounts in order and verifies the last one: mountinfo shows it, and a child process gets an answer to a stat of
 * its root. Whatever fails, what was mounted is unmounted again.
 * @throws Fault of the call; `unavailable/mount-does-not-answer`; `cancelled`
 */
export async function executePlan(
  components: PlanComponents,
  calls: readonly MountCall[],
  signal: AbortSignal,
  settings: PlanSettings = {},
): Promise<MountInfo> {
  throw new Error(`${components} ${calls} ${signal} ${settings}`);
}
