import { cidOfKey } from './block-key.ts';
import { CidMarks } from './cid-marks.ts';
import type { WalkedStore } from './dag-walk.ts';
import type { Database } from './database.ts';
import type { OwnBlocks } from './database-block-store.ts';
import type { FileQueue } from './file-queue.ts';
import type { ImageDrafts } from './image-drafts.ts';
import { markImage } from './image-marks.ts';
import type { ImageRecords } from './image-records.ts';
import type { LeaseBook } from './lease-book.ts';
import type { ObjectIndex } from './object-index.ts';
import type { PartialObjects } from './partial-objects.ts';
import type { PendingObjects } from './pending-objects.ts';
import type { PinMarks } from './pin-marks.ts';
import type { Sequence } from './sequence.ts';
import type { SweepReport } from './store.ts';
import type { StoreLayout } from './store-layout.ts';
import type { StoredRow } from './stored-row.ts';
import { keyBehind, type Row, type RowRange } from './table.ts';

export interface SweepComponents {
  readonly layout: StoreLayout;
  readonly database: Database;
  readonly queue: FileQueue;
  readonly sequence: Sequence;
  readonly objects: ObjectIndex;
  readonly partialRows: ObjectIndex;
  readonly partials: PartialObjects;
  readonly pending: PendingObjects;
  readonly blocks: OwnBlocks;
  readonly images: ImageRecords;
  readonly drafts: ImageDrafts;
  readonly leases: LeaseBook;
  readonly pins: PinMarks;
  readonly walked: WalkedStore;
}

const ROWS_A_STEP = 512;
/** Rows dropped by one fsync of the database. */
const MAX_DROPPED = 8192;
/** An unlink takes up to 1.3 ms (ext4 with discard): what a pull writes meanwhile must not wait behind thousands. */
const UNLINKS_A_STEP = 32;

/**
 * Phase 1 marks what the images and drafts keep. Phase 2 goes over all rows and drops those that nothing keeps: not marked, not
 * named by a pin that came meanwhile, not seen by an open lease, not born since the oldest of them or since the sweep
 * began. A row goes before its file, durably: a crash between leaves a file without a row, which the next
 * orphan scan unlinks, never a row without a file. A put that comes between finds no row and writes its file anew,
 * behind the unlink in the same queue.
 */
export async function sweep(
  components: SweepComponents,
  pause: () => Promise<void> | undefined,
): Promise<SweepReport> {
  const { database, pins, sequence } = components;
  pins.sweepBegins();
  try {
    const began = sequence.take();
    await database.committed();
    const marks = await markAll(components, pause);
    return await new SweepRun(components, marks, began, pause).run();
  } finally {
    pins.sweepOver();
  }
}

interface Marks {
  readonly shared: CidMarks;
  readonly unshared: CidMarks;
}

async function markAll(
  { images, drafts, walked }: SweepComponents,
  pause: () => Promise<void> | undefined,
): Promise<Marks> {
  const marks: Marks = { shared: new CidMarks(), unshared: new CidMarks() };
  const unfinished = [...drafts.all()].map(({ record }) => record);
  for (const record of [...images.all(), ...unfinished]) {
    // A block that an image should have and has not is no reason to lose the rest.
    const options = { pause, onMissing: () => {} };
    await markImage(record, walked, record.shared ? marks.shared : marks.unshared, options);
  }
  return marks;
}

class SweepRun {
  readonly #components: SweepComponents;
  readonly #marks: Marks;
  readonly #began: number;
  readonly #pause: () => Promise<void> | undefined;
  readonly #report = { objects: 0, blocks: 0, bytes: 0, heldBytes: 0 };

  constructor(
    components: SweepComponents,
    marks: Marks,
    began: number,
    pause: () => Promise<void> | undefined,
  ) {
    this.#components = components;
    this.#marks = marks;
    this.#began = began;
    this.#pause = pause;
  }

  async run(): Promise<SweepReport> {
    const { objects, blocks, partialRows, partials, queue, database } = this.#components;
    await this.#each(partialRows, (key, row) => {
      const here = partials.find(key)?.bytesHere ?? 0;
      // An object that is complete here keeps its row; what was begun of it once more is of no use.
      if (!this.#goes(key, row, here, partialRows.has(key) && objects.has(key))) return;
      partials.remove(key);
      this.#report.bytes += here;
    });
    await this.#each(blocks, (key, row) => {
      if (!this.#goes(key, row, row.storedSize))
        return this.#unshare(key, row, () => blocks.setShared(key, false));
      blocks.remove(key);
      this.#report.blocks++;
      this.#report.bytes += row.storedSize;
    });
    await this.#sweepObjects();
    await queue.idle();
    await database.committed();
    return this.#report;
  }

  async #sweepObjects(): Promise<void> {
    const { objects, partialRows, database, pending, queue, layout } = this.#components;
    const dropped: Buffer[] = [];
    let unlinks = 0;
    const unlink = async (): Promise<void> => {
      if (dropped.length === 0) return;
      await database.durable();
      for (const key of dropped.splice(0)) {
        // Put anew meanwhile, or about to be completed: the file is in use again.
        if (objects.has(key) || partialRows.has(key) || pending.get(key) !== undefined) continue;
        queue.push({ op: 'unlink', path: layout.object(cidOfKey(key).toString()) });
        if (++unlinks % UNLINKS_A_STEP === 0) await queue.idle();
      }
    };
    const visit = (key: Buffer, row: StoredRow): void => {
      if (!this.#goes(key, row, row.storedSize)) {
        this.#unshare(key, row, () => objects.setShared(key, row, false));
        return;
      }
      objects.remove(key, partialRows.has(key));
      dropped.push(key);
      this.#report.objects++;
      this.#report.bytes += row.storedSize;
    };
    try {
      await this.#each(objects, visit, async () => {
        if (dropped.length >= MAX_DROPPED) await unlink();
      });
    } finally {
      await unlink();
    }
  }

  /** Visits every committed row as it is now, a step at a time. */
  async #each(
    rows: { committedRows(range: RowRange): Row[]; row(key: Buffer): StoredRow | undefined },
    visit: (key: Buffer, row: StoredRow) => void,
    step?: () => Promise<void>,
  ): Promise<void> {
    for (let from: Buffer | undefined; ; ) {
      const found = rows.committedRows({ ...(from && { from }), limit: ROWS_A_STEP });
      for (const { key } of found) {
        const row = rows.row(key);
        if (row !== undefined) visit(key, row);
      }
      const last = found.at(-1);
      if (last === undefined) return;
      from = keyBehind(last.key);
      await step?.();
      await this.#pause();
    }
  }

  #goes(key: Buffer, { born }: StoredRow, bytes: number, useless = false): boolean {
    const { leases, pins } = this.#components;
    const digest = key.subarray(1);
    const kept = this.#marks.shared.has(digest) || this.#marks.unshared.has(digest) || pins.has(digest);
    if ((kept && !useless) || born >= this.#began) return false;
    if (leases.holds(digest, born)) {
      if (!kept) this.#report.heldBytes += bytes;
      return false;
    }
    return true;
  }

  /** Takes the shared mark from what no shared image keeps any more. */
  #unshare(key: Buffer, row: StoredRow, clear: () => void): void {
    const { leases, pins } = this.#components;
    const digest = key.subarray(1);
    if (!row.shared || row.born >= this.#began || this.#marks.shared.has(digest)) return;
    if (pins.has(digest) || leases.shares(digest, row.born)) return;
    clear();
  }
}
