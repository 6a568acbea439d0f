import { readdirSync, readFileSync } from 'node:fs';

/** A process so that a later one with its number is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start: field 22 of proc_pid_stat(5). */
  readonly start: string;
}

/** `undefined` where there is no such process. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const start = startOf(pid);
  return start === undefined ? undefined : { pid, start };
}

/**
 * Whether it still runs. One that was killed stays as a zombie until its parent asks for it, which in a container may be
 * never; but threads of it may end after the first one, and work until then.
 */
export function isRunning({ pid, start }: ProcessIdentity): boolean {
  if (startOf(pid) !== start) return false;
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      // the name in parentheses may hold anything; the state is the first field behind it
      return !/^[ZX]/.test(text.slice(text.lastIndexOf(')') + 2));
    });
  } catch {
    return false;
  }
}

function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
