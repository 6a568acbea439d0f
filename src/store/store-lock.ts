import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { Fault } from '../base/fault.ts';
import type { StoreLayout } from './store-layout.ts';

/** Keeps a second process out of one store. */
export interface StoreLock {
  release(): void;
}

/**
 * A file that names the process by id and start time, so that one that was killed does not lock the store for ever and
 * a new process with its number is not taken for it.
 * @throws Fault `busy/store-in-use` (fields: root, path, pid)
 */
export function takeStoreLock({ root, lock: path }: Pick<StoreLayout, 'root' | 'lock'>): StoreLock {
  const own = `${process.pid} ${startOf(process.pid)}\n`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      return { release: () => unlinkSync(path) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const pid = livingHolder(path);
    if (pid !== undefined || attempt > 2) {
      const holder = pid === undefined ? 'another process' : `process ${pid}`;
      throw new Fault('busy', 'store-in-use', `the store at ${root} is in use by ${holder}`, {
        fields: { root, path, pid },
      });
    }
    try {
      unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

function livingHolder(path: string): number | undefined {
  try {
    const [pid = '', start] = readFileSync(path, 'utf8').trim().split(' ');
    return start !== undefined && startOf(Number(pid)) === start && isAlive(Number(pid))
      ? Number(pid)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A process that was killed stays as a zombie until its parent asks for it, which in a container may be never; but
 * threads of it may end after the first one, and write until then.
 */
function isAlive(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).some((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    return !/^[ZX]/.test(text.slice(text.lastIndexOf(')') + 2));
  });
}

/** Clock ticks from boot to the start of a process: field 22 of proc_pid_stat(5), behind the name in parentheses. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
