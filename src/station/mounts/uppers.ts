import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptUpper } from './mount-service.ts';

/**
 * What is written into writable mounts:
 * ```
 * <root>/uppers/<id>/   0700
 *   upper/ work/        overlayfs's
 *   mount.json          where it was mounted, of which image; `kept`: whoever unmounted it wants it
 * ```
 */
export interface Uppers {
  create(upper: Omit<KeptUpper, 'upper'>): Promise<{ readonly upper: string; readonly work: string }>;
  /** Those that are kept on purpose and those that were left, alike. */
  list(): Promise<readonly KeptUpper[]>;
  /** From now on it is its owner's to remove: only {@link list} knows it. Durable over a crash of the station. */
  keep(upper: string, kept: boolean): Promise<void>;
  /** Left by the mounts that were at `target`, and nobody said to keep them; the newest first. */
  leftAt(target: string): Promise<readonly KeptUpper[]>;
  /** Removes what was written. */
  remove(upper: string): Promise<void>;
}

/** @param folder `<root>/uppers` */
export function createUppers(folder: string): Uppers {
  const records = async (): Promise<UpperRecord[]> => {
    const found: UpperRecord[] = [];
    for (const id of await readdir(folder).catch(() => [])) {
      const upper = await readUpper(join(folder, id));
      if (upper !== undefined) found.push(upper);
    }
    return found;
  };

  return {
    async create(upper) {
      const at = join(folder, randomBytes(8).toString('hex'));
      await mkdir(at, { recursive: true, mode: 0o700 });
      // the mount server gives it what the image's root has
      await mkdir(join(at, 'upper'), { mode: 0o700 });
      await mkdir(join(at, 'work'), { mode: 0o700 });
      await writeFile(join(at, 'mount.json'), `${JSON.stringify(upper)}\n`, { mode: 0o600 });
      return { upper: join(at, 'upper'), work: join(at, 'work') };
    },
    list: async () => (await records()).map(({ kept: _kept, ...upper }) => upper),
    async keep(upper, kept) {
      const record = await readUpper(join(upper, '..'));
      if (record === undefined) return;
      const { target, key, mountedAt } = record;
      const path = join(upper, '..', 'mount.json');
      const said = { target, key, mountedAt, ...(kept ? { kept } : {}) };
      await writeFile(`${path}.new`, `${JSON.stringify(said)}\n`, { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
    leftAt: async (target) =>
      (await records())
        .filter((upper) => upper.target === target && upper.kept !== true)
        .sort((one, other) => other.mountedAt - one.mountedAt),
    async remove(upper) {
      await rm(join(upper, '..'), { recursive: true, force: true });
    },
  };
}

interface UpperRecord extends KeptUpper {
  readonly kept?: boolean;
}

/** `undefined` where a crash left it half made. */
async function readUpper(at: string): Promise<UpperRecord | undefined> {
  try {
    const { target, key, mountedAt, kept } = JSON.parse(
      await readFile(join(at, 'mount.json'), 'utf8'),
    ) as UpperRecord;
    return { upper: join(at, 'upper'), target, key, mountedAt, ...(kept === true ? { kept } : {}) };
  } catch {
    return undefined;
  }
}
