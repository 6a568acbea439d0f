import { mkdirSync, rmSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../observe/logger.ts';
import { blockKey } from './block-key.ts';
import { createBlockLocator } from './block-locator.ts';
import type { WalkedStore } from './dag-walk.ts';
import { type Database, openDatabase } from './database.ts';
import { openBindings } from './database-bindings.ts';
import { createBlockStore } from './database-block-store.ts';
import { openImageDrafts } from './database-image-drafts.ts';
import { openImageRecords } from './database-image-records.ts';
import { openValues } from './database-values.ts';
import { createDiskObjectStore } from './disk-object-store.ts';
import { createDiskSpace } from './disk-space.ts';
import { DiskStore } from './disk-store.ts';
import { createDiskSync } from './disk-sync.ts';
import { createFileQueue, type FileQueue } from './file-queue.ts';
import { pinImage } from './image-pin.ts';
import { openLeaseBook, type StoreLease } from './lease-book.ts';
import { openHolderIndex, openObjectIndex } from './object-index.ts';
import { createPartialObjects } from './partial-objects.ts';
import { createPendingObjects } from './pending-objects.ts';
import { createPinMarks } from './pin-marks.ts';
import { checkAfterPowerLoss, settlePartials } from './power-loss-check.ts';
import { createSequence } from './sequence.ts';
import type { Store } from './store.ts';
import { createStoreFlush } from './store-flush.ts';
import { type StoreLayout, storeLayout } from './store-layout.ts';
import { takeStoreLock } from './store-lock.ts';
import type { StoreSettings } from './store-settings.ts';
import { currentBootId, readStoreState, type StoreState } from './store-state.ts';
import { countStoredBytes } from './stored-bytes.ts';

export interface StoreComponents {
  readonly logger: Logger;
  readonly clock: Clock;
}

/** On its way to disk at once: more makes nothing faster and is memory. */
const QUEUE_BOUNDS = { maxBytes: 12 * 1024 * 1024, maxOps: 4096 };

/**
 * Opens (or makes) the store below `root`, puts right what a crash left, and re-hashes what a power loss may have cut.
 * @throws Fault `busy/store-in-use` (fields: root, path, pid) while another process has it open
 */
export async function openStore(
  root: string,
  components: StoreComponents,
  settings: StoreSettings,
): Promise<Store> {
  const layout = storeLayout(root);
  makeFolders(layout);
  const lock = takeStoreLock(layout);
  let database: Database | undefined;
  let queue: FileQueue | undefined;
  try {
    rmSync(layout.temporary, { recursive: true, force: true });
    mkdirSync(layout.temporary);
    database = openDatabase(layout.metadata, settings.databaseMaxBytes);
    const { reserveBytes } = settings;
    queue = createFileQueue({ ...QUEUE_BOUNDS, folder: root, reserveBytes });
    return await compose({ layout, database, queue, releaseLock: lock.release }, components, settings);
  } catch (error) {
    await queue?.close();
    await database?.close().catch(() => {});
    lock.release();
    throw error;
  }
}

function makeFolders({ cas, partials, quarantine, temporary, metadata }: StoreLayout): void {
  for (const folder of [cas, partials, quarantine, temporary, metadata])
    mkdirSync(folder, { recursive: true });
}

interface OpenedParts {
  readonly layout: StoreLayout;
  readonly database: Database;
  readonly queue: FileQueue;
  readonly releaseLock: () => void;
}

async function compose(
  { layout, database, queue, releaseLock }: OpenedParts,
  { logger, clock }: StoreComponents,
  settings: StoreSettings,
): Promise<Store> {
  const stateTable = database.table('state');
  const before = readStoreState(stateTable);
  const sequence = createSequence(before?.openings ?? 0);
  const holders = openHolderIndex(database);
  const objects = openObjectIndex(database, 'objects', holders);
  const partialRows = openObjectIndex(database, 'partials', holders);
  const pending = createPendingObjects({ index: objects, queue, sequence });
  let temporaryFiles = 0;
  const temporaryFile = (): string => `${layout.temporary}/${temporaryFiles++}`;
  const partials = createPartialObjects({
    layout,
    queue,
    sequence,
    objects,
    partials: partialRows,
    holders,
    temporaryFile,
  });
  const leases = openLeaseBook({
    table: database.table('leases'),
    sequence,
    now: clock.now,
    onSee: (lease, cid) => {
      if (lease.shared || pending.size > 0) noteSeen(lease, blockKey(cid));
    },
  });
  const flush = createStoreFlush({ queue, database, sequence, sync: createDiskSync(layout.root) });
  const store = createDiskObjectStore({
    layout,
    database,
    queue,
    objects,
    holders,
    pending,
    partials,
    leases,
    temporaryFile,
    flush: () => flush.flush(),
  });
  const blocks = createBlockStore({
    rows: database.table('blocks'),
    bytes: database.table('block-bytes'),
    locator: createBlockLocator({ layout, objects, partialRows, partials, pending, holders }),
    objects: store,
    queue,
    leases,
    sequence,
    space: createDiskSpace(layout.root, settings.reserveBytes),
  });

  function noteSeen(lease: StoreLease, key: Buffer | undefined): void {
    if (key === undefined) return;
    pending.rely(key, lease);
    if (!lease.shared) return;
    pending.setShared(key);
    for (const rows of [objects, partialRows]) {
      const row = rows.row(key);
      if (row !== undefined) rows.setShared(key, row, true);
    }
    blocks.setShared(key, true);
  }

  const walked: WalkedStore = {
    isObject: (cid) => {
      const key = blockKey(cid);
      return key !== undefined && objects.has(key);
    },
    isBlock: (cid) => {
      const key = blockKey(cid);
      return key !== undefined && blocks.hasOwn(key);
    },
    block: (cid) => (walked.isBlock(cid) ? blocks.getSync(cid) : undefined),
  };
  const pins = createPinMarks();
  const pin = { queue, database, objects, blocks, walked, marks: pins, monotonic: clock.monotonic };
  let diskStore: DiskStore | undefined;
  const images = openImageRecords({
    table: database.table('images'),
    database,
    now: clock.now,
    pin: (record) => pinImage(record, pin),
    flush: settings.syncOnPin ? () => flush.flush() : () => flush.written(),
    onRemoved: () => diskStore?.sweepSoon(),
  });

  const drafts = openImageDrafts({
    table: database.table('drafts'),
    database,
    walked,
    marks: pins,
    monotonic: clock.monotonic,
    onRemoved: () => diskStore?.sweepSoon(),
  });

  const bootId = settings.bootId ?? currentBootId();
  await settlePartials({ layout, queue, objects, partialRows, partials });
  await restoreBytes(before);
  if (before !== undefined && before.bootId !== bootId) {
    const report = await checkAfterPowerLoss(before.flushed, {
      layout,
      queue,
      objects,
      partialRows,
      partials,
    });
    logger.info(
      { ...report },
      'another boot than when the store was last open: hashed what no sync had covered',
    );
    await flush.flush();
  }
  const state = {
    openings: (before?.openings ?? 0) + 1,
    bootId,
    flushed: Math.max(before?.flushed ?? 0, flush.flushed),
  };
  flush.keepState(stateTable, { ...state, clean: false, objectBytes: 0, blockBytes: 0 });
  await database.durable();

  async function restoreBytes(state: StoreState | undefined): Promise<void> {
    objects.bytes = state?.clean ? state.objectBytes : await countStoredBytes(objects);
    blocks.storedBytes = state?.clean ? state.blockBytes : await countStoredBytes(blocks);
  }

  const sweepParts = {
    layout,
    database,
    queue,
    sequence,
    objects,
    partialRows,
    partials,
    pending,
    blocks,
    images,
    drafts,
    leases,
    pins,
    walked,
  };
  diskStore = new DiskStore({
    ...sweepParts,
    logger,
    clock,
    settings,
    store,
    flush,
    holders,
    releaseLock,
    orphansLikely: before !== undefined && !before.clean,
    bindings: openBindings({
      bindings: database.table('bindings'),
      blobs: database.table('blobs'),
      database,
    }),
    values: openValues(database.table('values'), database),
  });
  return diskStore;
}
