import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const BYTES = 40 * 2 ** 30;

/** A filesystem of its own in a sparse file. */
export interface BenchFilesystem {
  readonly path: string;
  /** Everything on it goes. */
  remove(): void;
}

/**
 * ext4 as Debian's installer makes it, with a journal. Without one, as on many virtual machines, the kernel passes over
 * each inode that was deleted in the last minutes whenever a file is made (fs/ext4/ialloc.c, recently_deleted): 12,000
 * files took 0.5 s on a fresh disk and 6 s after as many had been deleted, which every sample does of the one before.
 * @param folder empty, on the disk to be measured
 */
export function makeFilesystem(folder: string): BenchFilesystem {
  const image = join(folder, 'disk');
  const path = join(folder, 'mounted');
  const file = openSync(image, 'wx');
  ftruncateSync(file, BYTES);
  closeSync(file);
  mkdirSync(path);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  execFileSync('mount', ['-o', 'loop', image, path]);
  return {
    path,
    remove() {
      // Lazily: an engine that did not end in time must not keep the disk's file for ever.
      execFileSync('umount', ['--lazy', path]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
