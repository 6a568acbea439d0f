import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import type { Fault } from '../../src/base/fault.ts';
import { executePlan } from '../../src/mounts/execute-plan.ts';
import { findMountUsers } from '../../src/mounts/mount-users.ts';
import { planOverlay } from '../../src/mounts/overlay-plan.ts';
import { unmount } from '../../src/mounts/unmount.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { type MountScene, mountScene } from './mount-scene.ts';

const signal = new AbortController().signal;
const now = { lazy: false, signal };

async function mounted(): Promise<MountScene> {
  const scene = await mountScene();
  const { syscalls, target, chain, paths, upper } = scene;
  await executePlan({ syscalls, logger: silentLogger }, planOverlay({ chain, target, upper }, paths), signal);
  return scene;
}

async function busy(scene: MountScene): Promise<Fault> {
  return unmount(scene, scene.target, now).then(
    () => {
      throw new Error('it was not busy');
    },
    (fault: Fault) => fault,
  );
}

/** A process that says that it runs, and runs until it is killed. */
async function withProcess(
  command: string,
  args: readonly string[],
  cwd: string,
  work: (pid: number) => Promise<void>,
): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    await work(child.pid as number);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

describe('unmount', () => {
  it('takes the mount away', async () => {
    await using scene = await mounted();
    await unmount(scene, scene.target, now);
    expect(await scene.mounts()).toEqual([]);
    await expect(unmount(scene, scene.target, now)).rejects.toMatchObject({
      kind: 'not-found',
      code: 'not-mounted',
      fields: { target: scene.target },
    });
  });

  it('names the process that has a file open', async () => {
    await using scene = await mounted();
    const { target } = scene;
    await withProcess('sh', ['-c', `exec 7<'${target}/hello'; echo up; read never <&1`], '/', async (pid) => {
      const fault = await busy(scene);
      expect(fault).toMatchObject({ kind: 'busy', code: 'mount-in-use' });
      expect(fault.message).toContain(`sh (${pid})`);
      expect(fault.fields['processes']).toContain(`sh (${pid}): fd 7 ${target}/hello`);
      expect(await scene.mounts()).toHaveLength(1);
    });
    await unmount(scene, target, now);
  });

  it('names the process that is in it', async () => {
    await using scene = await mounted();
    const { target } = scene;
    await withProcess('sh', ['-c', 'echo up; read never <&1'], target, async (pid) => {
      expect((await busy(scene)).fields['processes']).toEqual([`sh (${pid}): cwd ${target}`]);
    });
    await unmount(scene, target, now);
  });

  it('names the program that runs from it', async () => {
    await using scene = await mounted();
    const { target } = scene;
    copyFileSync('/bin/sh', join(target, 'shell'));
    await withProcess(join(target, 'shell'), ['-c', 'echo up; read never <&1'], '/', async (pid) => {
      expect((await busy(scene)).fields['processes']).toEqual([`shell (${pid}): exe ${target}/shell`]);
    });
    await unmount(scene, target, now);
  });

  it('names the process that has a file mapped, and the mounts that lie in it', async () => {
    await using scene = await mounted();
    const { target, syscalls } = scene;
    const inner = join(target, 'inner');
    mkdirSync(inner);
    writeFileSync(join(target, 'data'), Buffer.alloc(8192));
    await syscalls.mount({ source: 'inner', target: inner, type: 'tmpfs', flags: [], data: 'size=65536' });
    const program = `
import mmap, os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
m = mmap.mmap(f, 8192, prot=mmap.PROT_READ)
os.close(f)
# mmap keeps a duplicate of the descriptor
for fd in os.listdir('/proc/self/fd'):
    if int(fd) > 2:
        try: os.close(int(fd))
        except OSError: pass
print('up', flush=True)
import time
time.sleep(60)
`;
    await withProcess('python3', ['-c', program, join(target, 'data')], '/', async (pid) => {
      const fault = await busy(scene);
      expect(fault.fields['processes']).toEqual([`python3 (${pid}): mapped ${target}/data`]);
      expect(fault.fields['mounts']).toEqual([inner]);
      expect(fault.message).toContain(`a mount at ${inner}`);
    });
    await unmount(scene, inner, now);
    await unmount(scene, target, now);
  });

  it('detaches what is used: open files can still be read', async () => {
    await using scene = await mounted();
    const open = openSync(join(scene.target, 'hello'), 'r');
    await unmount(scene, scene.target, { lazy: true, signal });
    expect(await scene.mounts()).toEqual([]);
    expect(readFileSync(open, 'utf8')).toBe('from the lower');
    closeSync(open);
  });

  it('does nothing once it is cancelled', async () => {
    await using scene = await mounted();
    await expect(
      unmount(scene, scene.target, { lazy: false, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await scene.mounts()).toHaveLength(1);
  });
});

describe('the search for users', () => {
  it('is bounded, and does not take a neighbour of the same beginning for it', async () => {
    await using scene = await mountScene();
    const neighbour = `${scene.target}-2`;
    mkdirSync(neighbour);
    const open = openSync(neighbour, 'r');
    const components = { clock: systemClock };
    const pids = (await findMountUsers(components, scene.target)).map(({ pid }) => pid);
    expect(pids).not.toContain(process.pid);
    expect(await findMountUsers(components, neighbour)).toEqual([
      { pid: process.pid, name: 'node', use: `fd ${open}`, path: neighbour },
    ]);
    expect(
      await findMountUsers(components, neighbour, { maxUsers: 0, maxFiles: 10, deadline: 1000 }),
    ).toEqual([]);
    closeSync(open);
  });
});
