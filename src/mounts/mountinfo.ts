import { readFile } from 'node:fs/promises';
import { unescapeField } from '../config/mount-table.ts';

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  /** `major:minor`, the st_dev of files on it. */
  readonly device: string;
  /** Which folder of the filesystem is shown. */
  readonly root: string;
  readonly target: string;
  /** Of this mount: `ro`, `nosuid`, … */
  readonly options: readonly string[];
  readonly filesystem: string;
  readonly source: string;
  /** Of the filesystem, as it writes them: for overlay `rw,lowerdir=…`. */
  readonly superOptions: string;
}

/** All mounts, in the order of the text, which is that in which they were made. A line that is none is left out. */
export function parseMountInfo(text: string): MountInfo[] {
  const mounts: MountInfo[] = [];
  for (const line of text.split('\n')) {
    const mount = parseLine(line);
    if (mount !== undefined) mounts.push(mount);
  }
  return mounts;
}

function parseLine(line: string): MountInfo | undefined {
  const fields = line.split(' ');
  const [id, parent, device, root, target, options] = fields;
  // Any number of optional fields (`shared:7`) ends with a lone hyphen.
  const hyphen = fields.indexOf('-', 6);
  const [filesystem, source, superOptions] = fields.slice(hyphen + 1);
  if (hyphen === -1 || superOptions === undefined) return undefined;
  if (!/^\d+$/.test(id as string) || !/^\d+$/.test(parent as string)) return undefined;
  return {
    id: Number(id),
    parent: Number(parent),
    device: device as string,
    root: unescapeField(root as string),
    target: unescapeField(target as string),
    options: (options as string).split(','),
    filesystem: filesystem as string,
    source: unescapeField(source as string),
    superOptions: unescapeField(superOptions),
  };
}

/** What is seen at `target`: of several mounts on each other the uppermost, which no other one there has as its parent. */
export function mountAt(mounts: readonly MountInfo[], target: string): MountInfo | undefined {
  const there = mounts.filter((mount) => mount.target === target);
  const covered = new Set(there.map((mount) => mount.parent));
  return there.findLast((mount) => !covered.has(mount.id));
}

/** Mounts of one filesystem type, by source too where it is given. */
export function mountsOfType(
  mounts: readonly MountInfo[],
  filesystem: string,
  source?: string,
): readonly MountInfo[] {
  return mounts.filter(
    (mount) => mount.filesystem === filesystem && (source === undefined || mount.source === source),
  );
}

/** What lies on `mount`, directly or further down: these keep it busy. */
export function mountsBelow(mounts: readonly MountInfo[], mount: MountInfo): readonly MountInfo[] {
  const ids = new Set([mount.id]);
  // a child can be listed before its parent (after a move): until nothing is found any more
  for (let before = 0; before !== ids.size; ) {
    before = ids.size;
    for (const other of mounts) if (ids.has(other.parent)) ids.add(other.id);
  }
  return mounts.filter((other) => other.id !== mount.id && ids.has(other.id));
}

/** The mounts of this process; procfs asks none of them anything. */
export async function readMountInfo(): Promise<MountInfo[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}
