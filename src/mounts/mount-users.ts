import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Clock } from '../base/clock.ts';

/** A process that keeps a mount busy. */
export interface MountUser {
  readonly pid: number;
  /** As ps shows it, at most 15 bytes. */
  readonly name: string;
  /** What it has there: `cwd`, `root`, `exe`, `fd 7`, `mapped`. */
  readonly use: string;
  readonly path: string;
}

export interface UserSearch {
  /** Processes that are named at most. */
  readonly maxUsers: number;
  /** Open files that are looked at in one process. */
  readonly maxFiles: number;
  /** ms for all of it. */
  readonly deadline: number;
}

/** Enough for a person to know whom to stop; a busy host with thousands of processes is read for three seconds at most. */
const SEARCH: UserSearch = { maxUsers: 16, maxFiles: 4096, deadline: 3000 };

/**
 * Who uses what lies below `target`, as far as /proc tells: its links are answered from the kernel's memory, the mount is
 * not asked. One thing is read at a time, so that no more than one thread of libuv's pool can be held up. Kernel users
 * (loop devices, swap, other mount namespaces) are not seen.
 */
export async function findMountUsers(
  { clock }: { readonly clock: Clock },
  target: string,
  search: UserSearch = SEARCH,
): Promise<MountUser[]> {
  const end = clock.monotonic() + search.deadline;
  const users: MountUser[] = [];
  // The youngest first: what uses an image's files was most likely started since it was mounted.
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  for (const entry of pids.sort((one, other) => other - one)) {
    if (users.length >= search.maxUsers || clock.monotonic() > end) break;
    const found = await firstUse(`/proc/${entry}`, target, search.maxFiles, () => clock.monotonic() > end);
    if (found === undefined) continue;
    users.push({ pid: entry, name: await nameOf(`/proc/${entry}`), ...found });
  }
  return users;
}

/** The name of its main thread, unless that one is called after what it is: Node's is `MainThread`. */
async function nameOf(process: string): Promise<string> {
  const name = (await readFile(`${process}/comm`, 'utf8').catch(() => '?')).trimEnd();
  if (name !== 'MainThread') return name;
  return basename(await readlink(`${process}/exe`).catch(() => name));
}

interface Use {
  readonly use: string;
  readonly path: string;
}

async function firstUse(
  process: string,
  target: string,
  maxFiles: number,
  late: () => boolean,
): Promise<Use | undefined> {
  for (const use of ['cwd', 'root', 'exe']) {
    const path = await linkBelow(`${process}/${use}`, target);
    if (path !== undefined) return { use, path };
  }
  // a process that ended, or a kernel thread, has none
  const files = await readdir(`${process}/fd`).catch(() => []);
  for (const file of files.slice(0, maxFiles)) {
    if (late()) return undefined;
    const path = await linkBelow(`${process}/fd/${file}`, target);
    if (path !== undefined) return { use: `fd ${file}`, path };
  }
  return mappedBelow(process, target);
}

async function linkBelow(link: string, target: string): Promise<string | undefined> {
  const path = await readlink(link).catch(() => undefined);
  return path !== undefined && isBelow(path, target) ? path : undefined;
}

/** A file that is mapped stays in use after it was closed: libraries of a running program. */
async function mappedBelow(process: string, target: string): Promise<Use | undefined> {
  const maps = await readFile(`${process}/maps`, 'utf8').catch(() => '');
  for (const line of maps.split('\n')) {
    // address perms offset dev inode pathname; the kernel escapes newlines only
    const path = line.slice(line.indexOf('/')).replaceAll('\\012', '\n');
    if (line.includes('/') && isBelow(path, target)) return { use: 'mapped', path };
  }
  return undefined;
}

/** The kernel marks the path of a file that was removed. */
function isBelow(path: string, target: string): boolean {
  return path === target || path.startsWith(`${target}/`);
}
