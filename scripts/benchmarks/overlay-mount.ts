import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../image/command.ts';

/** A read-only overlay on folders of the disk, as an engine's overlay2 makes it; unmounted with `await using`. */
export interface OverlayMount extends AsyncDisposable {
  readonly path: string;
}

/**
 * @param folder gets the mountpoint
 * @param lowers topmost first; best relative to it where they are many, since mount(2) takes 4095 bytes of options
 */
export async function mountOverlay(folder: string, lowers: readonly string[]): Promise<OverlayMount> {
  const path = join(folder, 'merged');
  for (const name of ['merged', 'empty']) mkdirSync(join(folder, name), { recursive: true });
  const options = `lowerdir=${[...lowers, 'empty'].join(':')},metacopy=off,redirect_dir=off,index=off,ro`;
  await run('mount', ['-i', '-t', 'overlay', '-o', options, 'shp-bench', path], { cwd: folder });
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await run('umount', ['-l', path]);
    },
  };
}

/** The same to be written, on a new upper that goes with it: nothing of one start is there for the next. */
export async function mountWritable(folder: string, lower: string): Promise<OverlayMount> {
  const path = join(folder, 'merged');
  for (const name of ['merged', 'upper', 'work']) mkdirSync(join(folder, name), { recursive: true });
  const options = `lowerdir=${lower},upperdir=upper,workdir=work,metacopy=off,redirect_dir=off,index=off`;
  await run('mount', ['-i', '-t', 'overlay', '-o', options, 'shp-bench', path], { cwd: folder });
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await run('umount', ['-l', path]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
