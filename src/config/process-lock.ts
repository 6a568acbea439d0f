import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Fault } from '../base/fault.ts';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';

/** Keeps a second process out. It ends with the process that took it, however that ends. */
export interface ProcessLock {
  release(): void;
}

/** How often the lock of a dead process may turn out to be another's before it is given up. */
const MAX_TRIES = 5;

/**
 * A file that names its process. link(2) makes it appear whole, and the lock of a dead process is moved aside and looked
 * at again before it is removed: of two that find it dead at once, one takes it.
 * @throws Fault `busy/locked` (fields: path, pid)
 */
export function takeProcessLock(path: string): ProcessLock {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, text(identityOf(process.pid)));
  try {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (linked(own, path)) return { release: () => rmSync(path, { force: true }) };
      const holder = holderOf(path);
      if (holder !== undefined && isRunning(holder)) throw locked(path, holder.pid);
      const aside = `${path}.dead.${process.pid}`;
      if (!moved(path, aside)) continue;
      const taken = holderOf(aside);
      // Somebody took it between our two looks: it is theirs.
      if (taken !== undefined && isRunning(taken)) linked(aside, path);
      rmSync(aside, { force: true });
    }
    throw locked(path, holderOf(path)?.pid);
  } finally {
    rmSync(own, { force: true });
  }
}

function text(identity: ProcessIdentity | undefined): string {
  return `${identity?.pid ?? process.pid} ${identity?.start ?? ''}\n`;
}

function holderOf(path: string): ProcessIdentity | undefined {
  try {
    const [pid = '', start = ''] = readFileSync(path, 'utf8').trim().split(' ');
    return { pid: Number(pid), start };
  } catch {
    return undefined;
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function locked(path: string, pid: number | undefined): Fault {
  return new Fault('busy', 'locked', `process ${pid ?? 'unknown'} holds ${path}`, { fields: { path, pid } });
}
