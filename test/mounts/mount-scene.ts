import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MountInfo, readMountInfo } from '../../src/mounts/mountinfo.ts';
import type { OverlayPaths } from '../../src/mounts/overlay-plan.ts';
import { createSyscalls } from '../../src/syscalls/koffi-syscalls.ts';
import type { Syscalls } from '../../src/syscalls/syscalls.ts';

/** Folders that stand for a root with one chain `a1` (in it `hello`), a target and an upper. Unmounted and gone after `using`. */
export interface MountScene extends AsyncDisposable {
  readonly syscalls: Syscalls;
  readonly path: string;
  readonly target: string;
  readonly paths: OverlayPaths;
  readonly chain: string;
  readonly upper: { readonly upper: string; readonly work: string };
  mounts(): Promise<readonly MountInfo[]>;
}

/** @param name of the folder that all paths lie in: may hold any character */
export async function mountScene(name = 'scene'): Promise<MountScene> {
  const outside = await mkdtemp(join(tmpdir(), 'shp-mounts-'));
  const path = join(outside, name);
  const at = (...names: readonly string[]): string => join(path, ...names);
  for (const folder of [['fuse', 't', 'a1'], ['empty'], ['target'], ['upper'], ['work']]) {
    mkdirSync(at(...folder), { recursive: true });
  }
  writeFileSync(at('fuse', 't', 'a1', 'hello'), 'from the lower');
  const syscalls = createSyscalls();
  const mounts = async (): Promise<readonly MountInfo[]> =>
    (await readMountInfo()).filter((mount) => mount.target.startsWith(`${outside}/`));
  return {
    syscalls,
    path,
    target: at('target'),
    paths: { fuse: at('fuse'), empty: at('empty') },
    chain: 'a1',
    upper: { upper: at('upper'), work: at('work') },
    mounts,
    async [Symbol.asyncDispose]() {
      for (const { target } of [...(await mounts())].reverse())
        await syscalls.unmount(target, { detach: true });
      rmSync(outside, { recursive: true, force: true });
    },
  };
}
