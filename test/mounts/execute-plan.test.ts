import { closeSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executePlan } from '../../src/mounts/execute-plan.ts';
import { planOverlay } from '../../src/mounts/overlay-plan.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import type { MountCall, Syscalls } from '../../src/syscalls/syscalls.ts';
import { mountBareFuse } from '../syscalls/bare-fuse.ts';
import { mountScene } from './mount-scene.ts';

const never = new AbortController().signal;

function tmpfs(target: string): MountCall {
  return { source: 'shp-test', target, type: 'tmpfs', flags: [], data: 'size=65536' };
}

describe('a plan', () => {
  it('mounts a chain read-only, and answers what mountinfo shows', async () => {
    await using scene = await mountScene();
    const { syscalls, target, chain, paths } = scene;
    const mount = await executePlan(
      { syscalls, logger: silentLogger },
      planOverlay({ chain, target }, paths),
      never,
    );
    expect(mount).toMatchObject({ target, filesystem: 'overlay', source: 'shp' });
    expect(mount.options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev']));
    expect(readFileSync(join(target, 'hello'), 'utf8')).toBe('from the lower');
    expect(() => writeFileSync(join(target, 'hello'), 'x')).toThrow('EROFS');
  });

  it('mounts a chain writable: the upper takes what is written', async () => {
    await using scene = await mountScene();
    const { syscalls, target, chain, paths, upper } = scene;
    const mount = await executePlan(
      { syscalls, logger: silentLogger },
      planOverlay({ chain, target, upper }, paths),
      never,
    );
    expect(mount.options).toContain('rw');
    writeFileSync(join(target, 'hello'), 'changed');
    rmSync(join(target, 'hello'));
    writeFileSync(join(target, 'new'), 'new');
    expect(readFileSync(join(upper.upper, 'new'), 'utf8')).toBe('new');
    expect(readdirSync(target)).toEqual(['new']);
    expect(readFileSync(join(paths.fuse, 't', chain, 'hello'), 'utf8')).toBe('from the lower');
  });

  it.each([
    'with spaces and\ttabs',
    'a,b',
    'a:b',
    'back\\slash',
    'all , of : them \\ , \\\\ :: ü é 漢',
    'new\nline',
    'a\\,b',
    'ends\\',
  ])('mounts below %j, read-only and writable', async (name) => {
    await using scene = await mountScene(name);
    const { syscalls, target, chain, paths, upper } = scene;
    const components = { syscalls, logger: silentLogger };
    await executePlan(components, planOverlay({ chain, target }, paths), never);
    expect(readFileSync(join(target, 'hello'), 'utf8')).toBe('from the lower');
    await syscalls.unmount(target);
    const mount = await executePlan(components, planOverlay({ chain, target, upper }, paths), never);
    expect(mount.target).toBe(target);
    writeFileSync(join(target, 'new'), 'new');
    expect(readFileSync(join(upper.upper, 'new'), 'utf8')).toBe('new');
  });

  it('mounts with options of just under a page', async () => {
    await using scene = await mountScene();
    const { syscalls, target, chain } = scene;
    const long = join(scene.path, ...Array.from({ length: 7 }, () => 'x'.repeat(240)));
    const paths = { fuse: join(long, 'f'), empty: join(long, 'e') };
    mkdirSync(join(paths.fuse, 't', chain), { recursive: true });
    mkdirSync(paths.empty);
    const plan = planOverlay({ chain, target }, paths);
    expect(plan[0]?.data.length).toBeGreaterThan(3400);
    await executePlan({ syscalls, logger: silentLogger }, plan, never);
  });

  it('that fails half-way is undone, the latest mount first', async () => {
    await using scene = await mountScene();
    const { syscalls, path, target } = scene;
    const inner = join(path, 'target', 'inner');
    const order: string[] = [];
    const watched: Syscalls = {
      ...syscalls,
      unmount: (place, options) => {
        order.push(place);
        return syscalls.unmount(place, options);
      },
      mount: async (call) => {
        await syscalls.mount(call);
        mkdirSync(inner, { recursive: true });
      },
    };
    const plan = [tmpfs(target), tmpfs(inner), tmpfs(join(path, 'absent'))];
    await expect(executePlan({ syscalls: watched, logger: silentLogger }, plan, never)).rejects.toMatchObject(
      {
        code: 'mount-failed',
        fields: { errno: 'ENOENT', path: join(path, 'absent') },
      },
    );
    expect(order).toEqual([inner, target]);
    expect(await scene.mounts()).toEqual([]);
  });

  it('is undone where mountinfo does not show the target: a link leads elsewhere', async () => {
    await using scene = await mountScene();
    const { syscalls, path, target } = scene;
    const link = join(path, 'link');
    symlinkSync(target, link);
    await expect(executePlan({ syscalls, logger: silentLogger }, [tmpfs(link)], never)).rejects.toMatchObject(
      { code: 'mount-not-seen' },
    );
    expect(await scene.mounts()).toEqual([]);
  });

  it('is undone where the mount does not answer, without waiting for it', async () => {
    await using scene = await mountScene();
    const { syscalls, target } = scene;
    let device = -1;
    const components = {
      logger: silentLogger,
      syscalls: {
        ...syscalls,
        async mount(): Promise<void> {
          ({ device } = await mountBareFuse(syscalls, target));
        },
      },
    };
    const call: MountCall = { source: 'shp-test', target, type: 'fuse.shp-test', flags: [], data: '' };
    await expect(executePlan(components, [call], never, { deadline: 200 })).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'mount-does-not-answer',
      fields: { target },
    });
    expect(await scene.mounts()).toEqual([]);
    closeSync(device);
  });

  it('is undone when it is cancelled while the mount is asked', async () => {
    await using scene = await mountScene();
    const { syscalls, target } = scene;
    const cancel = new AbortController();
    let device = -1;
    const components = {
      logger: silentLogger,
      syscalls: {
        ...syscalls,
        async mount(): Promise<void> {
          ({ device } = await mountBareFuse(syscalls, target));
          setTimeout(() => cancel.abort(), 50);
        },
      },
    };
    const call: MountCall = { source: 'shp-test', target, type: 'fuse.shp-test', flags: [], data: '' };
    await expect(executePlan(components, [call], cancel.signal)).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await scene.mounts()).toEqual([]);
    await expect(executePlan(components, [call], cancel.signal)).rejects.toMatchObject({ kind: 'cancelled' });
    closeSync(device);
  });
});
