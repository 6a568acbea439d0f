import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { directory, file } from '../support/layer-tar.ts';
import { type MountedRoot, mountedRoot } from './support/mounted-root.ts';

const LAYERS = [[directory('srv'), file('srv/a', 'a\n'), file('srv/b', 'b\n'), file('srv/c', 'c\n')]];

let held: MountedRoot;
beforeEach(async () => {
  held = await mountedRoot(LAYERS);
});
afterEach(() => held[Symbol.asyncDispose]());

it('opens are counted in the status that is asked right behind them', async () => {
  await held.start();
  const target = held.folder('a');
  await held.mount(target);
  for (const [opened, name] of ['a', 'b', 'a'].entries()) {
    readFileSync(join(target, 'srv', name));
    const [chain] = (await held.status()).server?.chains ?? [];
    expect((chain?.passthroughOpens ?? 0) + (chain?.readOpens ?? 0)).toBe(opened + 1);
  }
});

it('requests are counted by operation, and shown once somebody looks', async () => {
  await held.start();
  const target = held.folder('a');
  await held.mount(target);
  readFileSync(join(target, 'srv/a'));
  type Frames = { operations: Record<string, number>; kept: boolean; trace: string[] };
  const before = await held.call<Frames>('frames');
  expect(before).toMatchObject({ kept: false, trace: [], operations: { INIT: 1, OPEN: 1 } });
  readFileSync(join(target, 'srv/b'));
  const after = await held.call<Frames>('frames');
  expect(after.kept).toBe(true);
  expect(after.operations['OPEN']).toBe(2);
  expect(after.trace.join('\n')).toMatch(/LOOKUP unique=\d+ node=\d+ .*"b"/);
});

it('what is used while it is recorded is told though nothing is asked behind it, and anew for the next mount', async () => {
  held.away(Number.POSITIVE_INFINITY, { recording: true });
  await held.start();
  const target = held.folder('a');
  for (let mounts = 1; mounts <= 2; mounts++) {
    await held.mount(target);
    readFileSync(join(target, 'srv/b'));
    let touches: unknown[] = [];
    while (touches.length < mounts * 2 - 1) {
      await sleep(50);
      touches = await held.call<unknown[]>('touches');
    }
    expect(touches.at(-1)).toEqual([held.images[0]?.key, [[0, expect.any(Number), 0, 1]]]);
    // what is left comes before the mount counts as ended
    readFileSync(join(target, 'srv/c'));
    await held.unmount(target);
    touches = await held.call<unknown[]>('touches');
    expect(touches).toHaveLength(mounts * 2);
    const [, ranges] = touches.at(-1) as [string, unknown];
    expect(ranges).toEqual([[0, expect.any(Number), 0, 1]]);
  }
});
