import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Fault } from '../../src/base/fault.ts';
import { createSyscalls } from '../../src/syscalls/koffi-syscalls.ts';
import { loadLibc } from '../../src/syscalls/libc.ts';
import type { MountCall } from '../../src/syscalls/syscalls.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { mountBareFuse } from './bare-fuse.ts';

const syscalls = createSyscalls();

function tmpfs(target: string, more: Partial<MountCall> = {}): MountCall {
  return {
    source: 'shp-test',
    target,
    type: 'tmpfs',
    flags: ['nosuid', 'nodev'],
    data: 'size=65536',
    ...more,
  };
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(Fault);
  return thrown as Fault;
}

function mountLines(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8');
}

describe('mount and unmount', () => {
  it('mount with the flags and options that were given, and unmount', async () => {
    using folder = tempFolder('syscalls');
    await syscalls.mount(tmpfs(folder.path, { flags: ['nosuid', 'nodev', 'noexec', 'noatime', 'rdonly'] }));
    const line = mountLines()
      .split('\n')
      .find((text) => text.includes(folder.path));
    expect(line).toMatch(/ ro,nosuid,nodev,noexec,noatime /);
    expect(line).toContain(' - tmpfs shp-test ');
    expect(line).toContain('size=64k');
    await syscalls.unmount(folder.path);
    expect(mountLines()).not.toContain(folder.path);
  });

  it('bind and remount', async () => {
    using folder = tempFolder('syscalls');
    const [from, to] = [join(folder.path, 'from'), join(folder.path, 'to')];
    mkdirSync(from);
    mkdirSync(to);
    writeFileSync(join(from, 'f'), 'bound');
    await syscalls.mount({ source: from, target: to, type: '', flags: ['bind'], data: '' });
    await syscalls.mount({ source: '', target: to, type: '', flags: ['private'], data: '' });
    await syscalls.mount({
      source: '',
      target: to,
      type: '',
      flags: ['bind', 'remount', 'rdonly'],
      data: '',
    });
    expect(readFileSync(join(to, 'f'), 'utf8')).toBe('bound');
    expect(() => writeFileSync(join(to, 'f'), 'x')).toThrow('EROFS');
    await syscalls.unmount(to);
  });

  it('say which call failed, on what and why', async () => {
    using folder = tempFolder('syscalls');
    const fault = await faultOf(syscalls.mount(tmpfs(join(folder.path, 'absent'))));
    expect(fault).toMatchObject({
      kind: 'not-found',
      code: 'mount-failed',
      fields: { call: 'mount', errno: 'ENOENT', path: join(folder.path, 'absent'), type: 'tmpfs' },
    });
    expect(
      (await faultOf(syscalls.mount(tmpfs(folder.path, { data: 'size=nonsense' })))).fields['errno'],
    ).toBe('EINVAL');
    expect((await faultOf(syscalls.mount(tmpfs(folder.path, { type: 'nofs' })))).fields['errno']).toBe(
      'ENODEV',
    );
    expect(await faultOf(syscalls.unmount(folder.path))).toMatchObject({
      kind: 'invalid',
      code: 'umount2-failed',
      fields: { errno: 'EINVAL' },
    });
  });

  it('refuse while it is used (EBUSY), and detach it all the same', async () => {
    using folder = tempFolder('syscalls');
    await syscalls.mount(tmpfs(folder.path));
    const open = openSync(join(folder.path, 'f'), 'w');
    expect(await faultOf(syscalls.unmount(folder.path))).toMatchObject({
      kind: 'busy',
      fields: { errno: 'EBUSY' },
    });
    await syscalls.unmount(folder.path, { detach: true });
    expect(mountLines()).not.toContain(folder.path);
    closeSync(open);
  });

  it('read the errno of the call that failed, however many fail at a time on other threads', async () => {
    using folder = tempFolder('syscalls');
    const absent = join(folder.path, 'absent');
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    const expected: string[] = [];
    const calls: Promise<Fault>[] = [];
    for (let round = 0; round < 100; round++) {
      expected.push('ENOENT', 'EINVAL', 'ENODEV', 'ENOTDIR', 'ENAMETOOLONG');
      calls.push(
        faultOf(syscalls.unmount(absent)),
        faultOf(syscalls.unmount(folder.path)),
        faultOf(syscalls.mount(tmpfs(folder.path, { type: 'nofs' }))),
        faultOf(syscalls.mount(tmpfs(join(file, 'below')))),
        faultOf(syscalls.unmount(`/${'x'.repeat(300)}`)),
      );
      // other failing calls of this thread between them set its errno to something else
      expect(() => syscalls.takeFd(process.pid, 1_000_000)).toThrow('EBADF');
    }
    expect((await Promise.all(calls)).map((fault) => fault.fields['errno'])).toEqual(expected);
  });

  it('never follow a link in the last place of what is unmounted', async () => {
    using folder = tempFolder('syscalls');
    const [real, link] = [join(folder.path, 'real'), join(folder.path, 'link')];
    mkdirSync(real);
    symlinkSync(real, link);
    await syscalls.mount(tmpfs(real));
    expect((await faultOf(syscalls.unmount(link))).fields['errno']).toBe('EINVAL');
    await syscalls.unmount(real);
  });

  it('refuse what the kernel would cut: a zero byte, options of more than 4095 bytes', async () => {
    expect((await faultOf(syscalls.unmount('/tmp/a\0b'))).code).toBe('zero-byte');
    expect((await faultOf(syscalls.mount(tmpfs('/tmp', { data: 'a\0b' })))).code).toBe('zero-byte');
    const fault = await faultOf(syscalls.mount(tmpfs('/tmp', { data: 'ü'.repeat(2048) })));
    expect(fault).toMatchObject({ kind: 'invalid', code: 'mount-options-too-long', fields: { bytes: 4096 } });
  });
});

describe('takeFd', () => {
  it('takes a file that another process holds open', async () => {
    using folder = tempFolder('syscalls');
    const path = join(folder.path, 'held');
    writeFileSync(path, 'held by a child');
    const held = openSync(path, 'r');
    const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', held] });
    closeSync(held);
    try {
      const taken = syscalls.takeFd(child.pid as number, 3);
      const bytes = Buffer.alloc(64);
      expect(bytes.toString('utf8', 0, readSync(taken, bytes))).toBe('held by a child');
      closeSync(taken);
      expect(() => syscalls.takeFd(child.pid as number, 77)).toThrow('EBADF');
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('takes a FUSE connection over: it lives on when the one who opened it is gone', async () => {
    using folder = tempFolder('syscalls');
    const [mountpoint, path] = [join(folder.path, 'mnt'), join(folder.path, 'backing')];
    mkdirSync(mountpoint);
    writeFileSync(path, 'content');
    const fuse = await mountBareFuse(syscalls, mountpoint);
    const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', fuse.device] });
    closeSync(fuse.device);
    const taken = syscalls.takeFd(child.pid as number, 3);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const file = openSync(path, 'r');
    const id = syscalls.backingOpen(taken, file);
    expect(id).toBeGreaterThan(0);
    syscalls.backingClose(taken, id);
    closeSync(file);
    await syscalls.unmount(mountpoint, { detach: true });
    closeSync(taken);
  });

  it('says that a process is not there, and leaves no descriptor behind', () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let round = 0; round < 20; round++) {
      expect(() => syscalls.takeFd(2 ** 22 + 1, 3)).toThrow(expect.objectContaining({ kind: 'not-found' }));
      expect(() => syscalls.takeFd(process.pid, 1_000_000)).toThrow('EBADF');
    }
    expect(open()).toBe(before);
  });
});

describe('passthrough ids', () => {
  it('are refused on a device that is not mounted', () => {
    const device = openSync('/dev/fuse', 'r+');
    const file = openSync('/proc/self/exe', 'r');
    expect(() => syscalls.backingOpen(device, file)).toThrow(
      expect.objectContaining({
        kind: 'denied',
        code: 'backing-open-failed',
        fields: { call: 'backing-open', errno: 'EPERM' },
      }),
    );
    closeSync(device);
    closeSync(file);
  });

  it('are given for open files, outlive their descriptors, and are closed once', async () => {
    using folder = tempFolder('syscalls');
    const [mountpoint, path] = [join(folder.path, 'mnt'), join(folder.path, 'backing')];
    mkdirSync(mountpoint);
    writeFileSync(path, 'content');
    await using fuse = await mountBareFuse(syscalls, mountpoint);
    const file = openSync(path, 'r');
    const first = syscalls.backingOpen(fuse.device, file);
    const second = syscalls.backingOpen(fuse.device, file);
    closeSync(file);
    expect(first).toBeGreaterThan(0);
    expect(second).not.toBe(first);
    syscalls.backingClose(fuse.device, first);
    expect(() => syscalls.backingClose(fuse.device, first)).toThrow('ENOENT');
    syscalls.backingClose(fuse.device, second);
    expect(() => syscalls.backingOpen(fuse.device, 1_000_000)).toThrow('EBADF');
  });

  it('are refused (ELOOP) for files of an overlay: the kernel stacks one filesystem only', async () => {
    using folder = tempFolder('syscalls');
    const at = (name: string): string => join(folder.path, name);
    for (const name of ['mnt', 'a', 'b', 'overlay']) mkdirSync(at(name));
    writeFileSync(join(at('a'), 'f'), 'content');
    await syscalls.mount({
      source: 'shp-test',
      target: at('overlay'),
      type: 'overlay',
      flags: ['rdonly'],
      data: `lowerdir=${at('a')}:${at('b')}`,
    });
    try {
      await using fuse = await mountBareFuse(syscalls, at('mnt'));
      const file = openSync(join(at('overlay'), 'f'), 'r');
      expect(() => syscalls.backingOpen(fuse.device, file)).toThrow(
        expect.objectContaining({ kind: 'invalid', fields: { call: 'backing-open', errno: 'ELOOP' } }),
      );
      closeSync(file);
    } finally {
      await syscalls.unmount(at('overlay'));
    }
  });
});

describe('a thread of its own', () => {
  it('makes calls too, with an errno of its own', async () => {
    const worker = new Worker(new URL('./failing-thread.ts', import.meta.url), { workerData: 2000 });
    const answer = once(worker, 'message') as Promise<[string[]]>;
    let isRunning = true;
    const stop = (): void => {
      isRunning = false;
    };
    answer.then(stop, stop);
    // meanwhile this thread fails otherwise
    while (isRunning)
      expect((await faultOf(syscalls.unmount('/nonexistent'))).fields['errno']).toBe('ENOENT');
    const [errnos] = await answer;
    expect(errnos).toEqual(['EBADF']);
    await worker.terminate();
  });
});

describe('the libc', () => {
  it('is loaded with the first call, once', async () => {
    let loads = 0;
    const counted = createSyscalls(() => {
      loads++;
      return loadLibc();
    });
    expect(loads).toBe(0);
    await faultOf(counted.unmount('/nonexistent'));
    await faultOf(counted.unmount('/nonexistent'));
    expect(loads).toBe(1);
  });

  it('that cannot be loaded is said to whoever calls', async () => {
    const without = createSyscalls(() => {
      throw new Fault('unsupported', 'no-syscalls', 'no koffi');
    });
    expect((await faultOf(without.unmount('/nonexistent'))).code).toBe('no-syscalls');
    expect(() => without.backingClose(0, 0)).toThrow('no koffi');
  });
});
