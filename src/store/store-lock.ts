import { Fault } from '../base/fault.ts';
import { type ProcessLock, takeProcessLock } from '../config/process-lock.ts';
import type { StoreLayout } from './store-layout.ts';

/**
 * Keeps a second process out of one store.
 * @throws Fault `busy/store-in-use` (fields: root, path, pid)
 */
export function takeStoreLock({ root, lock: path }: Pick<StoreLayout, 'root' | 'lock'>): ProcessLock {
  try {
    return takeProcessLock(path);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'locked') throw error;
    const { pid } = error.fields;
    const holder = pid === undefined ? 'another process' : `process ${pid}`;
    throw new Fault('busy', 'store-in-use', `the store at ${root} is in use by ${holder}`, {
      fields: { root, path, pid },
    });
  }
}
