import type { Database } from './database.ts';
import type { DiskSync } from './disk-sync.ts';
import type { FileQueue } from './file-queue.ts';
import type { Sequence } from './sequence.ts';
import { type StoreState, writeStoreState } from './store-state.ts';
import type { Table } from './table.ts';

/** Brings what was stored to disk and remembers how far. */
export interface StoreFlush {
  /** Birth number below which all is on disk. */
  readonly flushed: number;
  /** All files are written and their rows committed: they survive a kill. */
  written(): Promise<void>;
  /** The same, and they survive a power loss. */
  flush(): Promise<void>;
  /** From here on the state's row follows every flush. */
  keepState(table: Table, state: StoreState): void;
  /** Writes the state as that of a store closed in order. */
  close(objectBytes: number, blockBytes: number): void;
}

export interface StoreFlushComponents {
  readonly queue: FileQueue;
  readonly database: Database;
  readonly sequence: Sequence;
  readonly sync: DiskSync;
}

export function createStoreFlush({ queue, database, sequence, sync }: StoreFlushComponents): StoreFlush {
  let flushed = 0;
  let kept: { readonly table: Table; readonly state: StoreState } | undefined;
  const written = async (): Promise<void> => {
    await queue.idle();
    await database.committed();
  };
  const write = (more: Partial<StoreState>): void => {
    if (kept === undefined) return;
    kept = { table: kept.table, state: { ...kept.state, ...more } };
    writeStoreState(kept.table, kept.state);
  };
  return {
    get flushed() {
      return flushed;
    },
    written,
    async flush() {
      const reached = sequence.next;
      await written();
      // Also the database's own file: a row that syncfs brought to disk has its bytes there too.
      await sync.sync();
      flushed = Math.max(flushed, reached);
      write({ flushed });
      await database.durable();
    },
    keepState(table, state) {
      flushed = state.flushed;
      kept = { table, state };
      write({});
    },
    close(objectBytes, blockBytes) {
      write({ clean: true, objectBytes, blockBytes });
    },
  };
}
