import { readdir } from 'node:fs/promises';
import { CID } from 'multiformats/cid';
import { blockKey } from './block-key.ts';
import type { FileQueue } from './file-queue.ts';
import type { ObjectIndex } from './object-index.ts';
import type { PendingObjects } from './pending-objects.ts';
import type { StoreLayout } from './store-layout.ts';

export interface OrphanScanComponents {
  readonly layout: StoreLayout;
  readonly queue: FileQueue;
  readonly objects: ObjectIndex;
  readonly partialRows: ObjectIndex;
  readonly pending: PendingObjects;
}

/**
 * Unlinks files that no row names: a crash came between the rename of an object and its row, or between the end of
 * a row and the unlink. Safe at any time: this process names an object as pending before its file comes to be.
 * Answers how many there were.
 */
export async function scanOrphans(
  components: OrphanScanComponents,
  pause: () => Promise<void> | undefined,
): Promise<number> {
  const { layout, queue, objects, partialRows, pending } = components;
  let orphans = 0;
  const unlink = (path: string): void => {
    queue.push({ op: 'unlink', path });
    orphans++;
  };
  for (const folder of await namesIn(layout.cas)) {
    for (const name of await namesIn(`${layout.cas}/${folder}`)) {
      const key = keyOfName(name);
      // A partial object that was just completed has its file here before its row.
      const named = key && (objects.has(key) || partialRows.has(key) || pending.get(key) !== undefined);
      if (!named) unlink(`${layout.cas}/${folder}/${name}`);
    }
    await queue.drained();
    await pause();
  }
  for (const name of await namesIn(layout.partials)) {
    const key = keyOfName(name.replace(/\.bits$/, ''));
    if (key === undefined || !partialRows.has(key)) unlink(`${layout.partials}/${name}`);
  }
  await queue.idle();
  return orphans;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function keyOfName(name: string): Buffer | undefined {
  try {
    return blockKey(CID.parse(name));
  } catch {
    return undefined;
  }
}
