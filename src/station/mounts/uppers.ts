import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptUpper } from './mount-service.ts';

/**
 * What is written into writable mounts:
 * ```
 * <root>/uppers/<id>/   0700
 *   upper/ work/        overlayfs's
 *   mount.json          where it was mounted, of which image
 * ```
 */
export interface Uppers {
  create(upper: Omit<KeptUpper, 'upper'>): Promise<{ readonly upper: string; readonly work: string }>;
  list(): Promise<readonly KeptUpper[]>;
  /** Removes what was written. */
  remove(upper: string): Promise<void>;
}

/** @param folder `<root>/uppers` */
export function createUppers(folder: string): Uppers {
  return {
    async create(upper) {
      const at = join(folder, randomBytes(8).toString('hex'));
      await mkdir(at, { recursive: true, mode: 0o700 });
      // 0755 like the root folder of an image: what overlayfs shows as the merged root's mode is the upper's
      await mkdir(join(at, 'upper'), { mode: 0o755 });
      await mkdir(join(at, 'work'), { mode: 0o700 });
      await writeFile(join(at, 'mount.json'), `${JSON.stringify(upper)}\n`, { mode: 0o600 });
      return { upper: join(at, 'upper'), work: join(at, 'work') };
    },
    async list() {
      const found: KeptUpper[] = [];
      for (const id of await readdir(folder).catch(() => [])) {
        const upper = await readUpper(join(folder, id));
        if (upper !== undefined) found.push(upper);
      }
      return found;
    },
    async remove(upper) {
      await rm(join(upper, '..'), { recursive: true, force: true });
    },
  };
}

/** `undefined` where a crash left it half made. */
async function readUpper(at: string): Promise<KeptUpper | undefined> {
  try {
    const { target, key, mountedAt } = JSON.parse(
      await readFile(join(at, 'mount.json'), 'utf8'),
    ) as KeptUpper;
    return { upper: join(at, 'upper'), target, key, mountedAt };
  } catch {
    return undefined;
  }
}
