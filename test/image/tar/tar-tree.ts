import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** A name that is no UTF-8, as bytes in latin1. */
export const RAW_NAME = 'raw-\xff\xfe-name';

/** What the tree holds beyond what the oldest format can say. */
export interface TreeFeatures {
  /** Names past 100 bytes, ids past seven octal digits. */
  readonly large?: boolean;
  /** A time before 1970, with a fraction. */
  readonly ancient?: boolean;
  /** A fifo and, for root, device nodes. */
  readonly special?: boolean;
  readonly sparse?: boolean;
}

export const IS_ROOT = process.getuid?.() === 0;

function path(root: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')]);
}

/** Makes a small tree below `root` with everything that a tar can say of files, by the same calls as any program. */
export function makeTree(root: string, features: TreeFeatures = {}): void {
  mkdirSync(join(root, 'dir/deep'), { recursive: true });
  for (const size of [0, 1, 511, 512, 513, 70_000]) writeFileSync(join(root, `dir/f${size}`), bytes(size));
  writeFileSync(path(root, RAW_NAME), 'raw');
  writeFileSync(join(root, 'dir/größe-日本'), 'utf-8');
  linkSync(join(root, 'dir/f513'), join(root, 'hard'));
  symlinkSync('../outside', join(root, 'dir/link'));
  writeFileSync(join(root, 'setuid'), 'x');
  chmodSync(join(root, 'setuid'), 0o6755);
  chmodSync(join(root, 'dir/deep'), 0o1777);
  if (IS_ROOT) chownSync(join(root, 'setuid'), 1234, 5678);
  if (features.large) makeLarge(root);
  if (features.special) makeSpecial(root);
  if (features.sparse) makeSparse(join(root, 'sparse-few'), 3);
  if (features.sparse) makeSparse(join(root, 'sparse-many'), 60);
  setTimes(root, features);
}

function makeLarge(root: string): void {
  const folder = join(root, 'd'.repeat(90), 'e'.repeat(90), 'f'.repeat(90));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'n'.repeat(200)), 'far away');
  symlinkSync('t/'.repeat(150), join(root, 'long-link'));
  linkSync(join(folder, 'n'.repeat(200)), join(root, 'z-long-hard'));
  if (!IS_ROOT) return;
  writeFileSync(join(root, 'big-ids'), 'x');
  chownSync(join(root, 'big-ids'), 4_000_000_000, 3_000_000);
}

function makeSpecial(root: string): void {
  execFileSync('mkfifo', [join(root, 'fifo')]);
  if (!IS_ROOT) return;
  execFileSync('mknod', [join(root, 'char'), 'c', '5', '1']);
  execFileSync('mknod', [join(root, 'block'), 'b', '259', '300']);
}

function makeSparse(file: string, fragments: number): void {
  const fd = openSync(file, 'w');
  for (let i = 0; i < fragments; i++) writeSync(fd, bytes(4096), 0, 4096, (2 * i + 1) * 65_536);
  ftruncateSync(fd, (2 * fragments + 1) * 65_536 + 5);
  closeSync(fd);
}

function setTimes(root: string, features: TreeFeatures): void {
  lutimesSync(join(root, 'dir/link'), 1_000_000, 1_000_000.5);
  for (const [name, time] of [
    ['dir/f1', '2001-02-03 04:05:06.123456789'],
    ['dir/f511', '2024-12-31 23:59:59.000000001'],
  ] as const) {
    execFileSync('touch', ['-d', `${time} UTC`, join(root, name)]);
  }
  if (!features.ancient) return;
  writeFileSync(join(root, 'old'), 'before the epoch');
  execFileSync('touch', ['-d', '1960-01-01 00:00:00.25 UTC', join(root, 'old')]);
}

function bytes(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + size) % 251));
}

/** What the system says of one path of the tree. */
export interface TreeFact {
  readonly kind: 'file' | 'directory' | 'symlink' | 'fifo' | 'chardev' | 'blockdev';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNanos: number;
  readonly device: readonly [major: number, minor: number];
  readonly file: Buffer;
  readonly target: string;
  readonly inode: bigint;
}

/** @param name path below `root`, latin1 */
export function treeFact(root: string, name: string): TreeFact {
  const full = path(root, name);
  const stat = lstatSync(full, { bigint: true });
  const kind = stat.isDirectory()
    ? 'directory'
    : stat.isSymbolicLink()
      ? 'symlink'
      : stat.isFIFO()
        ? 'fifo'
        : stat.isCharacterDevice()
          ? 'chardev'
          : stat.isBlockDevice()
            ? 'blockdev'
            : 'file';
  const nanos = ((stat.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const isDevice = kind === 'chardev' || kind === 'blockdev';
  return {
    kind,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: Number((stat.mtimeNs - nanos) / 1_000_000_000n),
    mtimeNanos: Number(nanos),
    device: isDevice ? splitDevice(Number(stat.rdev)) : [0, 0],
    file: kind === 'file' ? readFileSync(full) : Buffer.alloc(0),
    target: kind === 'symlink' ? readlinkSync(full, 'latin1') : '',
    inode: stat.ino,
  };
}

/** Linux's encoding of small device numbers (sys/sysmacros.h). */
function splitDevice(device: number): readonly [number, number] {
  return [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)];
}
