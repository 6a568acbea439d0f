import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { Fault } from '../base/fault.ts';
import { identityOf, isRunning } from '../config/process-identity.ts';
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
  const own = `${process.pid} ${identityOf(process.pid)?.start}\n`;
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
    const [pid, start] = readFileSync(path, 'utf8').trim().split(' ');
    const holder = { pid: Number(pid), start: start ?? '' };
    return isRunning(holder) ? holder.pid : undefined;
  } catch {
    return undefined;
  }
}
