import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TarEntryType } from '../../src/image/tar/tar-entry.ts';
import type { StoredEntry } from '../layerfs/stored-layers.ts';
import { PYTHON } from './overlay-behaviour.ts';

interface Seen {
  readonly type: TarEntryType;
  readonly path: string;
  readonly link: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly nanos: number;
  readonly device: [number, number];
  readonly xattrs: Readonly<Record<string, string>>;
}

const WALK = `
import json, os, stat, sys
root = sys.argv[1].encode()
kinds = {stat.S_IFREG: 'file', stat.S_IFDIR: 'directory', stat.S_IFLNK: 'symlink', stat.S_IFCHR: 'chardev', stat.S_IFBLK: 'blockdev', stat.S_IFIFO: 'fifo'}
first = {}
def see(path):
    s = os.lstat(path)
    kind = kinds[stat.S_IFMT(s.st_mode)]
    name = os.path.relpath(path, root).decode('latin1')
    link = os.readlink(path).decode('latin1') if kind == 'symlink' else ''
    if kind != 'directory' and s.st_nlink > 1:
        if s.st_ino in first: kind, link = 'hardlink', first[s.st_ino]
        else: first[s.st_ino] = name
    xattrs = {n: os.getxattr(path, n, follow_symlinks=False).hex() for n in os.listxattr(path, follow_symlinks=False)}
    print(json.dumps(dict(type=kind, path=name, link=link, mode=stat.S_IMODE(s.st_mode), uid=s.st_uid, gid=s.st_gid,
        mtime=s.st_mtime_ns // 10**9, nanos=s.st_mtime_ns % 10**9, device=[os.major(s.st_rdev), os.minor(s.st_rdev)], xattrs=xattrs)))
see(root)
for at, folders, files in os.walk(root):
    for name in sorted(folders + files): see(os.path.join(at, name))`;

/** A folder as the members of a layer's tar, in a tar's order. */
export function folderEntries(folder: string): StoredEntry[] {
  const lines = execFileSync(PYTHON, ['-c', WALK, folder], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Seen)
    .map(({ path, link, nanos, xattrs, type, device, ...rest }) => ({
      ...rest,
      type,
      path: path === '.' ? './' : path,
      mtimeNanos: nanos,
      xattrs: Object.fromEntries(
        Object.entries(xattrs).map(([name, hex]) => [name, Buffer.from(hex, 'hex')]),
      ),
      ...(link === '' ? {} : { link }),
      ...(type === 'chardev' || type === 'blockdev' ? { device } : {}),
      ...(type === 'file'
        ? { content: readFileSync(join(folder, Buffer.from(path, 'latin1').toString())) }
        : {}),
    }));
}
