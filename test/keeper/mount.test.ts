import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { symlink as link, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { directory, file, symlink } from '../support/layer-tar.ts';
import { faultOf } from '../transfer/support/faults.ts';
import { type MountedRoot, mountedRoot, sha256 } from './support/mounted-root.ts';
import { readFileBy } from './support/reader.ts';

const BIG = randomBytes(5_000_000);
const SMALL = randomBytes(700_000);
const LAYERS = [
  [directory('bin'), file('bin/sh', SMALL, { mode: 0o755 }), symlink('bin/ash', 'sh')],
  [directory('srv'), file('srv/big', BIG), file('srv/note', 'a note\n')],
];
const OTHER = [[file('other', 'another image\n')]];

let held: MountedRoot;
beforeEach(async () => {
  held = await mountedRoot(LAYERS, OTHER);
});
afterEach(() => held[Symbol.asyncDispose]());

const read = async (path: string): Promise<string> => sha256(await readFile(path));

describe('an image that is here', () => {
  it('is shown at a folder', async () => {
    await held.start();
    const target = held.folder('a');
    expect(await held.mount(target)).toMatchObject({
      target,
      key: held.images[0]?.key,
      suid: false,
      dev: false,
    });
    expect(readdirSync(target).sort()).toEqual(['bin', 'srv']);
    expect(await read(join(target, 'bin/ash'))).toBe(sha256(SMALL));
    expect(await read(join(target, 'srv/big'))).toBe(sha256(BIG));
    expect(statSync(join(target, 'bin/sh')).mode & 0o777).toBe(0o755);
    await expect(writeFile(join(target, 'new'), '')).rejects.toMatchObject({ code: 'EROFS' });
    expect(await held.call('wants')).toEqual([]);
  });

  it('is unmounted, and forgotten with its last mount', async () => {
    await held.start();
    const [a, b] = [held.folder('a'), held.folder('b')];
    await held.mount(a);
    await held.mount(b);
    await held.unmount(a);
    expect(readdirSync(a)).toEqual([]);
    expect(await held.call('used')).toEqual([held.images[0]?.key]);
    expect(await read(join(b, 'bin/sh'))).toBe(sha256(SMALL));
    await held.unmount(b);
    expect(await held.call('used')).toEqual([]);
    expect((await held.status()).server).toMatchObject({ chains: [], mounts: [] });
    await held.mount(a);
    expect(await read(join(a, 'bin/sh'))).toBe(sha256(SMALL));
  });

  it('lies beside others', async () => {
    await held.start();
    const [a, b] = [held.folder('a'), held.folder('b')];
    await Promise.all([held.mount(a), held.mount(b, {}, 1)]);
    expect(readdirSync(b)).toEqual(['other']);
    expect((await held.call<{ target: string }[]>('list')).map(({ target }) => target).sort()).toEqual([
      a,
      b,
    ]);
  });

  it('is not mounted twice at one place, nor below a mount', async () => {
    await held.start();
    const target = held.folder('a');
    await held.mount(target);
    expect(await faultOf(held.mount(target))).toMatchObject({ kind: 'exists', code: 'already-mounted' });
    expect(await faultOf(held.mount(join(target, 'srv')))).toMatchObject({ code: 'mountpoint-in-image' });
    await link(target, join(held.root, 'mnt/link'));
    expect(await faultOf(held.mount(join(held.root, 'mnt/link/srv')))).toMatchObject({
      code: 'mountpoint-in-image',
    });
  });

  it('wants a folder that is there', async () => {
    await held.start();
    expect(await faultOf(held.mount(join(held.root, 'nowhere')))).toMatchObject({
      kind: 'not-found',
      code: 'no-mountpoint',
    });
    await writeFile(join(held.root, 'mnt-file'), '');
    expect(await faultOf(held.mount(join(held.root, 'mnt-file')))).toMatchObject({
      kind: 'invalid',
      code: 'mountpoint-is-file',
    });
    expect(await faultOf(held.unmount(held.folder('a')))).toMatchObject({ code: 'not-mounted' });
  });
});

describe('open files', () => {
  it('keep a mount, unless it is detached', async () => {
    await held.start();
    const target = held.folder('a');
    await held.mount(target);
    const opened = await open(join(target, 'srv/big'));
    const fault = await faultOf(held.unmount(target));
    expect(fault).toMatchObject({ kind: 'busy', code: 'mount-in-use' });
    expect(String(fault.fields.processes)).toContain(`(${process.pid})`);
    await held.unmount(target, { lazy: true });
    expect(readdirSync(target)).toEqual([]);
    const bytes = Buffer.alloc(BIG.length);
    await opened.read(bytes, 0, bytes.length, 0);
    expect(sha256(bytes)).toBe(sha256(BIG));
    await opened.close();
  });
});

describe('a writable mount', () => {
  it('takes what is written away with it', async () => {
    await held.start();
    const target = held.folder('a');
    const { upper = '' } = await held.mount(target, { writable: true });
    await writeFile(join(target, 'srv/note'), 'changed\n');
    expect(await readFile(join(upper, 'srv/note'), 'utf8')).toBe('changed\n');
    expect(await held.unmount(target)).toEqual({ target, removed: upper });
    expect(existsSync(upper)).toBe(false);
    await held.mount(target);
    expect(await readFile(join(target, 'srv/note'), 'utf8')).toBe('a note\n');
  });

  it('keeps it where that is asked for', async () => {
    await held.start();
    const target = held.folder('a');
    await held.mount(target, { writable: true });
    await writeFile(join(target, 'new'), 'kept\n');
    const { kept = '' } = await held.unmount(target, { keep: true });
    expect(await readFile(join(kept, 'new'), 'utf8')).toBe('kept\n');
    expect(await held.call('uppers')).toMatchObject([{ upper: kept, target, key: held.images[0]?.key }]);
    expect(await faultOf(held.unmount(target))).toMatchObject({ code: 'not-mounted' });
    expect(await readFile(join(kept, 'new'), 'utf8')).toBe('kept\n');
    // nor is it what a later mount there left
    await held.mount(target, { writable: true });
    await held.unmount(target);
    expect(await faultOf(held.unmount(target))).toMatchObject({ code: 'not-mounted' });
    expect(await readFile(join(kept, 'new'), 'utf8')).toBe('kept\n');
  });

  it('is tidied up after somebody else unmounted it', async () => {
    await held.start();
    const target = held.folder('a');
    const { upper = '' } = await held.mount(target, { writable: true });
    execFileSync('umount', [target]);
    expect(await held.call('list')).toMatchObject([{ target, gone: true }]);
    expect(await held.unmount(target)).toEqual({ target, removed: upper });
    expect(await held.call('list')).toEqual([]);
  });
});

describe('what is not here', () => {
  it('is waited for: small files whole when they are opened, large ones range by range', async () => {
    held.away(0, { delay: 50 });
    await held.start();
    const target = held.folder('a');
    await held.mount(target);
    expect(await readFileBy(join(target, 'bin/sh')).digest).toBe(sha256(SMALL));
    expect(await readFileBy(join(target, 'srv/big')).digest).toBe(sha256(BIG));
    const wants = await held.call<{ path: string }[]>('wants');
    expect(new Set(wants.map(({ path }) => path))).toEqual(new Set(['/bin/sh', '/srv/big']));
    const chain = (await held.status()).server?.chains[0];
    expect(chain?.waited).toBeGreaterThanOrEqual(2);
    expect(chain).toMatchObject({ waiting: 0, failed: 0 });
  });

  it('is EIO after mount.wait without a station', async () => {
    held.away(0, { hold: true });
    await held.start('--wait', '300');
    const target = held.folder('a');
    await held.mount(target);
    // with a goodbye: the keeper starts none anew
    await held.call('stop');
    const reader = readFileBy(join(target, 'srv/note'));
    await expect(reader.digest).rejects.toThrow('Input/output error');
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('lets a reader that waits be ended by %s', async (signal) => {
    held.away(0, { hold: true });
    await held.start();
    const target = held.folder('a');
    await held.mount(target);
    const waiting = async () => (await held.status()).server?.chains[0]?.waiting ?? 0;
    // The kernel tells who waits for an open; reads of the page cache it makes itself, and they go on.
    const opening = readFileBy(join(target, 'srv/note'));
    while ((await waiting()) === 0);
    opening.child.kill(signal);
    expect(await opening.ended).toBe(signal);
    while ((await waiting()) > 0);
    const reading = readFileBy(join(target, 'srv/big'));
    while ((await waiting()) === 0);
    reading.child.kill(signal);
    expect(await reading.ended).toBe(signal);
  });
});
