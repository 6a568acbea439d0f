import { readFile } from 'node:fs/promises';

export interface Mount {
  readonly mountpoint: string;
  /** As /proc/self/mountinfo names it: `ext4`, `overlay`, `fuse.sshfs`, … */
  readonly filesystem: string;
}

/** The mounts of this process in the order they were made (proc_pid_mountinfo(5)). */
export async function readMountTable(): Promise<Mount[]> {
  return parseMountTable(await readFile('/proc/self/mountinfo', 'utf8'));
}

export function parseMountTable(source: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of source.split('\n')) {
    // The optional fields end with a lone hyphen; the type stands right behind it.
    const fields = line.split(' ');
    const hyphen = fields.indexOf('-', 6);
    const mountpoint = fields[4];
    const filesystem = fields[hyphen + 1];
    if (hyphen === -1 || mountpoint === undefined || filesystem === undefined) continue;
    mounts.push({ mountpoint: unescapeField(mountpoint), filesystem });
  }
  return mounts;
}

/** The mount that `path` (absolute, links resolved) lies on: the deepest one, of equals the one made last. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const { mountpoint } = mount;
    const inside = mountpoint === '/' || path === mountpoint || path.startsWith(`${mountpoint}/`);
    if (inside && (best === undefined || mountpoint.length >= best.mountpoint.length)) best = mount;
  }
  return best;
}

/** The kernel writes space, tab, newline and backslash as `\040` and so on. */
export function unescapeField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
