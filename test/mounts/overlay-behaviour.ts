import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executePlan } from '../../src/mounts/execute-plan.ts';
import type { OverlayMountSpec } from '../../src/mounts/link/link-messages.ts';
import { type OverlayPaths, planOverlay } from '../../src/mounts/overlay-plan.ts';
import { unmount } from '../../src/mounts/unmount.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { createSyscalls } from '../../src/syscalls/koffi-syscalls.ts';

/** A lower that shows what a folder holds. Whatever serves it runs in another thread or process: the suite reads in this one. */
export interface OverlayLower extends AsyncDisposable {
  readonly chain: string;
  readonly paths: OverlayPaths;
}

/** @param folder stays as it is until the lower is disposed of */
export type MakeLower = (folder: string) => Promise<OverlayLower>;

const signal = new AbortController().signal;
/** A version manager's python3 in front of it starts five times slower. */
export const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const BIG = 3 * 2 ** 20 + 17;
const SOMEBODY = 12_345;

/** What the kernel does with an overlay of ours must not depend on what serves its lower: one suite for all of them. */
export function describeOverlay(name: string, makeLower: MakeLower): void {
  describe(`an overlay on ${name}`, () => {
    let base: string;
    let original: string;
    let lower: OverlayLower;
    const syscalls = createSyscalls();
    let mounted: string[] = [];

    beforeAll(async () => {
      base = await mkdtemp(join(tmpdir(), 'shp-overlay-'));
      // another user must be able to reach what is mounted below
      chmodSync(base, 0o711);
      original = join(base, 'original');
      mkdirSync(original);
      fill(original);
      lower = await makeLower(original);
    });

    afterAll(async () => {
      await lower[Symbol.asyncDispose]();
      rmSync(base, { recursive: true, force: true });
    });

    afterEach(async () => {
      for (const target of mounted.splice(0).reverse())
        await unmount({ syscalls }, target, { lazy: false, signal });
    });

    async function mountAgain(target: string, more: Partial<OverlayMountSpec>): Promise<void> {
      const plan = planOverlay({ chain: lower.chain, target, ...more }, lower.paths);
      await executePlan({ syscalls, logger: silentLogger }, plan, signal);
      mounted.push(target);
    }

    interface Mounted {
      /** A path in the overlay. */
      at(path: string): string;
      /** The same in the upper. */
      inUpper(path: string): string;
      readonly spec: Partial<OverlayMountSpec>;
    }

    let scenes = 0;
    async function writable(more: Partial<OverlayMountSpec> = {}): Promise<Mounted> {
      const scene = join(base, `scene-${scenes++}`);
      const [target, upper, work] = ['merged', 'upper', 'work'].map((folder) => join(scene, folder)) as [
        string,
        string,
        string,
      ];
      for (const folder of [target, upper, work]) mkdirSync(folder, { recursive: true });
      // overlayfs shows the upper's own attributes for its root: whoever makes an upper gives it the chain's
      execFileSync('touch', ['-r', original, upper]);
      const spec = { upper: { upper, work }, ...more };
      await mountAgain(target, spec);
      return { at: (path) => join(target, path), inUpper: (path) => join(upper, path), spec };
    }

    async function readOnly(more: Partial<OverlayMountSpec> = {}): Promise<(path: string) => string> {
      const target = join(base, `scene-${scenes++}`);
      mkdirSync(target);
      await mountAgain(target, more);
      return (path) => join(target, path);
    }

    it('shows the lower as it is: types, modes, owners, times, links, devices, xattrs, content', async () => {
      const at = await readOnly();
      expect(listing(at(''))).toEqual(listing(original));
      const view = await writable();
      expect(listing(view.at(''))).toEqual(listing(original));
    });

    it('refuses every write while it is read-only', async () => {
      const at = await readOnly();
      for (const write of [
        () => appendFileSync(at('dir/plain'), 'x'),
        () => writeFileSync(at('new'), 'x'),
        () => truncateSync(at('dir/plain'), 1),
        () => unlinkSync(at('dir/plain')),
        () => rmdirSync(at('empty')),
        () => renameSync(at('dir/plain'), at('dir/q')),
        () => mkdirSync(at('d')),
        () => symlinkSync('x', at('s')),
        () => linkSync(at('dir/plain'), at('l')),
        () => chmodSync(at('dir/plain'), 0o777),
        () => chownSync(at('dir/plain'), 0, 0),
        () => utimesSync(at('dir/plain'), 1, 1),
      ]) {
        expect(write).toThrow(expect.objectContaining({ code: 'EROFS' }));
      }
    });

    it('copies a file up when it is written, whole, with its metadata', async () => {
      const { at, inUpper } = await writable();
      appendFileSync(at('big'), 'more');
      expect(readFileSync(at('big')).equals(Buffer.concat([pattern(BIG), Buffer.from('more')]))).toBe(true);
      expect(statSync(inUpper('big')).size).toBe(BIG + 4);
      const before = lstatSync(join(original, 'dir/plain'), { bigint: true });
      chmodSync(at('dir/plain'), 0o604);
      const after = lstatSync(at('dir/plain'), { bigint: true });
      expect(after).toMatchObject({
        uid: before.uid,
        gid: before.gid,
        mtimeNs: before.mtimeNs,
        size: before.size,
      });
      expect(Number(after.mode & 0o7777n)).toBe(0o604);
      expect(xattrs(inUpper('dir/plain'))).toMatchObject({ 'user.note': 'a note' });
      // its folder came up with it
      const folder = lstatSync(join(original, 'dir'));
      expect(lstatSync(inUpper('dir'))).toMatchObject({
        mode: folder.mode,
        uid: folder.uid,
        gid: folder.gid,
      });
      expect(listing(original)).toEqual(listing(lowerTree()));
    });

    it('copies the content up for a chown too, so that the upper is complete by itself', async () => {
      const { at, inUpper } = await writable();
      chownSync(at('big'), SOMEBODY, SOMEBODY);
      expect(readFileSync(inUpper('big')).equals(pattern(BIG))).toBe(true);
      expect(statSync(at('big'))).toMatchObject({ uid: SOMEBODY, gid: SOMEBODY });
    });

    it('truncates at open, and in the middle', async () => {
      const { at } = await writable();
      writeFileSync(at('dir/plain'), 'short');
      expect(readFileSync(at('dir/plain'), 'utf8')).toBe('short');
      truncateSync(at('big'), 1000);
      expect(readFileSync(at('big')).equals(pattern(BIG).subarray(0, 1000))).toBe(true);
    });

    it('shows to an open file of the lower what somebody else wrote since (Linux 4.19 and later)', async () => {
      const { at } = await writable();
      const open = openSync(at('dir/other'), 'r');
      writeFileSync(at('dir/other'), 'changed');
      const bytes = Buffer.alloc(64);
      expect(bytes.toString('utf8', 0, readSync(open, bytes, 0, 64, 0))).toBe('changed');
      closeSync(open);
      expect(readFileSync(at('dir/other'), 'utf8')).toBe('changed');
    });

    it('renames files, over others too, and leaves a whiteout', async () => {
      const { at, inUpper } = await writable();
      renameSync(at('dir/plain'), at('many/1'));
      expect(readFileSync(at('many/1'), 'utf8')).toBe('plain content');
      expect(existsSync(at('dir/plain'))).toBe(false);
      expect(isWhiteout(inUpper('dir/plain'))).toBe(true);
      expect(readdirSync(at('dir')).sort()).toEqual(['link', 'other', 'sub']);
    });

    it('refuses to rename a folder of the lower (EXDEV), as programs expect that know to copy then', async () => {
      const { at, inUpper } = await writable();
      expect(() => renameSync(at('dir'), at('moved'))).toThrow('EXDEV');
      execFileSync('mv', [at('dir'), at('moved')]);
      expect(readFileSync(at('moved/sub/deep'), 'utf8')).toBe('deep');
      expect(existsSync(at('dir'))).toBe(false);
      expect(isWhiteout(inUpper('dir'))).toBe(true);
      // a new folder is renamed in one step
      renameSync(at('moved'), at('again'));
      expect(readFileSync(at('again/plain'), 'utf8')).toBe('plain content');
    });

    it('removes: a whiteout hides what the lower has', async () => {
      const { at, inUpper } = await writable();
      rmSync(at('many/5'));
      expect(() => readFileSync(at('many/5'))).toThrow('ENOENT');
      expect(isWhiteout(inUpper('many/5'))).toBe(true);
      expect(readdirSync(at('many'))).toHaveLength(299);
      writeFileSync(at('many/5'), 'new');
      expect(readFileSync(at('many/5'), 'utf8')).toBe('new');
      expect(readdirSync(at('many'))).toHaveLength(300);
    });

    it('makes a folder anew after it was removed: opaque, nothing of the lower shines through', async () => {
      const { at, inUpper } = await writable();
      rmSync(at('many'), { recursive: true });
      mkdirSync(at('many'));
      expect(readdirSync(at('many'))).toEqual([]);
      expect(xattrs(inUpper('many'))).toMatchObject({ 'trusted.overlay.opaque': 'y' });
      writeFileSync(at('many/7'), 'new');
      expect(readdirSync(at('many'))).toEqual(['7']);
    });

    it('links: a new hard link of a lower file is one file with it', async () => {
      const { at } = await writable();
      linkSync(at('dir/plain'), at('dir/linked'));
      appendFileSync(at('dir/linked'), '!');
      expect(readFileSync(at('dir/plain'), 'utf8')).toBe('plain content!');
      // Not the inode number: of a lower on another filesystem overlayfs shows the name that was there under the lower's
      // (overlayfs.rst, "Inode properties"), unless it keeps an index in the upper.
      expect(statSync(at('dir/plain')).nlink).toBe(2);
      chmodSync(at('dir/plain'), 0o600);
      expect(statSync(at('dir/linked')).mode & 0o777).toBe(0o600);
    });

    it('follows and replaces symbolic links', async () => {
      const { at } = await writable();
      expect(readlinkSync(at('dir/link'))).toBe('../big');
      expect(readFileSync(at('dir/link')).equals(pattern(BIG))).toBe(true);
      rmSync(at('dir/link'));
      symlinkSync('plain', at('dir/link'));
      expect(readFileSync(at('dir/link'), 'utf8')).toBe('plain content');
    });

    it('runs programs, before and after they came up', async () => {
      const { at } = await writable();
      const run = (): string => execFileSync(at('bin/cat'), [at('dir/plain')], { encoding: 'utf8' });
      expect(run()).toBe('plain content');
      chmodSync(at('bin/cat'), 0o700);
      expect(run()).toBe('plain content');
    });

    it('refuses to write to a program of the upper that runs (ETXTBSY)', async () => {
      const { at } = await writable();
      chmodSync(at('bin/cat'), 0o700);
      const python = `
import subprocess, sys
p = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE)
try:
    open(sys.argv[1], 'r+b')
    print('written')
except OSError as e:
    print(e.errno)
p.stdin.close(); p.wait()`;
      expect(execFileSync(PYTHON, ['-c', python, at('bin/cat')], { encoding: 'utf8' }).trim()).toBe('26');
    });

    it('takes no notice of suid bits unless it is asked to', async () => {
      const effective = (path: string): string => {
        const { stdout, stderr } = spawnSync(path, ['-u'], {
          uid: SOMEBODY,
          gid: SOMEBODY,
          encoding: 'utf8',
        });
        return stdout.trim() || stderr;
      };
      expect(effective((await readOnly())('bin/id'))).toBe(String(SOMEBODY));
      expect(effective((await readOnly({ suid: true }))('bin/id'))).toBe('0');
    });

    it('opens no device unless it is asked to', async () => {
      const at = await readOnly();
      expect(() => openSync(at('dev/zero'), 'r')).toThrow('EACCES');
      const withDevices = await readOnly({ dev: true });
      const open = openSync(withDevices('dev/zero'), 'r');
      const bytes = Buffer.alloc(16, 1);
      expect(readSync(open, bytes)).toBe(16);
      expect(bytes.equals(Buffer.alloc(16))).toBe(true);
      closeSync(open);
    });

    it('maps files into memory: shared and private, read and written', async () => {
      const { at } = await writable();
      const python = `
import mmap, os, sys, hashlib
path = sys.argv[1]
f = os.open(path, os.O_RDONLY)
shared = mmap.mmap(f, 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
print(hashlib.sha256(shared).hexdigest())
private = mmap.mmap(f, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
private[0:4] = b'mine'
shared.close(); private.close(); os.close(f)
f = os.open(path, os.O_RDWR)
written = mmap.mmap(f, 0)
written[4096:4100] = b'ours'
written.flush()
written.close(); os.close(f)
with open(path, 'rb') as g: print(hashlib.sha256(g.read()).hexdigest())`;
      const [before, after] = execFileSync(PYTHON, ['-c', python, at('big')], { encoding: 'utf8' }).split(
        '\n',
      );
      const changed = pattern(BIG);
      expect(before).toBe(sha256(changed));
      changed.write('ours', 4096);
      expect(after).toBe(sha256(changed));
    });

    it('lists a folder that has entries of both, and each once', async () => {
      const { at } = await writable();
      for (let index = 250; index < 350; index++) writeFileSync(at(`many/${index}`), 'upper');
      const names = readdirSync(at('many'));
      expect(names.map(Number).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 350 }, (_, index) => index),
      );
      expect(readFileSync(at('many/249'), 'utf8')).toBe('249');
      expect(readFileSync(at('many/250'), 'utf8')).toBe('upper');
    });

    it('keeps its changes in the upper over an unmount', async () => {
      const { at, spec } = await writable();
      writeFileSync(at('dir/plain'), 'kept');
      rmSync(at('big'));
      const before = listing(at(''));
      await unmount({ syscalls }, at(''), { lazy: false, signal });
      mounted = [];
      expect(readdirSync(at(''))).toEqual([]);
      await mountAgain(at('').replace(/\/$/, ''), spec);
      expect(listing(at(''))).toEqual(before);
    });

    function lowerTree(): string {
      return join(lower.paths.fuse, 't', lower.chain);
    }
  });
}

function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 12)) & 255));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function fill(folder: string): void {
  const at = (path: string): string => join(folder, path);
  for (const name of ['dir', 'dir/sub', 'many', 'bin', 'dev', 'empty']) mkdirSync(at(name));
  writeFileSync(at('dir/plain'), 'plain content');
  writeFileSync(at('dir/other'), 'other content');
  writeFileSync(at('dir/sub/deep'), 'deep');
  writeFileSync(at('big'), pattern(BIG));
  writeFileSync(at('nothing'), '');
  writeFileSync(at('a b,c:d\\e ü'), 'odd name');
  linkSync(at('dir/sub/deep'), at('hard'));
  symlinkSync('../big', at('dir/link'));
  symlinkSync('/nowhere', at('dangling'));
  for (let index = 0; index < 300; index++) writeFileSync(at(`many/${index}`), String(index));
  copyFileSync('/bin/cat', at('bin/cat'));
  copyFileSync('/usr/bin/id', at('bin/id'));
  chmodSync(at('bin/cat'), 0o755);
  chmodSync(at('bin/id'), 0o4755);
  chmodSync(at('dir/plain'), 0o640);
  chownSync(at('dir/plain'), 1000, 1001);
  chmodSync(at('dir'), 0o2751);
  chownSync(at('dir'), 0, 1001);
  execFileSync('mknod', ['-m', '0666', at('dev/zero'), 'c', '1', '5']);
  execFileSync('mkfifo', [at('dev/fifo')]);
  setXattr(at('dir/plain'), 'user.note', 'a note');
  setXattr(at('bin/cat'), 'trusted.note', 'for root');
  execFileSync('touch', ['-d', '2001-02-03 04:05:06.123456789 UTC', at('dir/plain'), at('many'), at('dir')]);
  execFileSync('touch', ['-h', '-d', '1969-12-31 23:59:58.5 UTC', at('dangling')]);
}

function setXattr(path: string, name: string, value: string): void {
  const python = 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())';
  execFileSync(PYTHON, ['-c', python, path, name, value]);
}

function xattrs(path: string): Record<string, string> {
  const python =
    'import os, sys, json; p = sys.argv[1]; print(json.dumps({n: os.getxattr(p, n).decode("latin1") for n in os.listxattr(p)}))';
  return JSON.parse(execFileSync(PYTHON, ['-c', python, path], { encoding: 'utf8' })) as Record<
    string,
    string
  >;
}

/** Overlay's form of a whiteout: a character device 0:0. */
function isWhiteout(path: string): boolean {
  const { mode, rdev } = lstatSync(path);
  return (mode & 0o170000) === 0o020000 && rdev === 0;
}

/** One line an entry with all that stat, readlink, listxattr and read tell; inodes and what folders weigh left out. */
function listing(folder: string): string[] {
  const python = `
import hashlib, os, stat, sys
root = sys.argv[1]
def line(path):
    s = os.lstat(path)
    kind = stat.S_IFMT(s.st_mode)
    said = [os.path.relpath(path, root), oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns]
    if kind != stat.S_IFDIR: said += [s.st_size if kind != stat.S_IFCHR else 0]
    if kind in (stat.S_IFCHR, stat.S_IFBLK): said += [os.major(s.st_rdev), os.minor(s.st_rdev)]
    if kind == stat.S_IFLNK: said += [os.readlink(path)]
    if kind == stat.S_IFREG: said += [s.st_nlink, hashlib.sha256(open(path, 'rb').read()).hexdigest()]
    said += [(n, os.getxattr(path, n, follow_symlinks=False)) for n in sorted(os.listxattr(path, follow_symlinks=False)) if not n.startswith('trusted.overlay.')]
    print(*said)
line(root)
for at, folders, files in os.walk(root):
    for name in folders + files: line(os.path.join(at, name))`;
  return execFileSync(PYTHON, ['-c', python, folder], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .trimEnd()
    .split('\n')
    .sort();
}
