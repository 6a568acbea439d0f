import type { CID } from 'multiformats/cid';
import { blockKey } from './block-key.ts';
import type { WalkedStore } from './dag-walk.ts';
import type { Database } from './database.ts';
import type { OwnBlocks } from './database-block-store.ts';
import { incompleteImage } from './database-image-records.ts';
import type { FileQueue } from './file-queue.ts';
import { markImage } from './image-marks.ts';
import type { ImageRecord } from './image-records.ts';
import type { ObjectIndex } from './object-index.ts';
import type { PinMarks } from './pin-marks.ts';
import { createTurnPause } from './turn-pause.ts';

export interface ImagePinComponents {
  readonly queue: FileQueue;
  readonly database: Database;
  readonly objects: ObjectIndex;
  readonly blocks: OwnBlocks;
  readonly walked: WalkedStore;
  readonly marks: PinMarks;
  readonly monotonic: () => number;
}

const MAX_MISSING_NAMED = 10;

/**
 * Checks that all an image names is here, keeps it from a sweep that runs, and shares it where the image is shared.
 * The caller writes the record, then calls `end`.
 * @throws Fault `invalid/incomplete-image` (fields: image, missing)
 */
export async function pinImage(
  record: ImageRecord,
  components: ImagePinComponents,
): Promise<{ readonly end: () => void }> {
  const { queue, database, objects, blocks, walked, marks: pins, monotonic } = components;
  const marks = pins.begin();
  const end = (): void => pins.end(marks);
  try {
    // What is still in the writer's queue may fail: only rows count.
    await queue.idle();
    await database.committed();
    const missing: string[] = [];
    const visited: Buffer[] = [];
    const pause = createTurnPause(monotonic);
    // A recipe's block may have been found here as a leaf of a file that no image keeps.
    const adopting = { ...walked, isBlock: (cid: CID) => walked.isBlock(cid) || blocks.adopt(cid) };
    await markImage(record, adopting, marks, {
      pause,
      onMissing: (cid: CID) => {
        if (missing.length < MAX_MISSING_NAMED) missing.push(cid.toString());
      },
      onVisit: (cid) => {
        const key = record.shared ? blockKey(cid) : undefined;
        if (key !== undefined) visited.push(key);
      },
    });
    if (missing.length > 0) throw incompleteImage(record.root, missing);
    for (const key of visited) {
      await pause();
      const row = objects.row(key);
      if (row !== undefined) objects.setShared(key, row, true);
      blocks.setShared(key, true);
    }
  } catch (error) {
    end();
    throw error;
  }
  return { end };
}
