import type { Fault } from '../base/fault.ts';
import { blockKey, keyText } from './block-key.ts';
import type { FileQueue, Settle } from './file-queue.ts';
import type { StoreLease } from './lease-book.ts';
import type { ObjectIndex } from './object-index.ts';
import type { ObjectInfo } from './object-store.ts';
import type { Sequence } from './sequence.ts';
import type { StoredRow } from './stored-row.ts';

/** An object whose file is in the writer's queue: it counts as here, its row follows the rename. */
export interface PendingObject {
  readonly info: ObjectInfo;
  readonly row: StoredRow;
}

/** Objects between `finish` and their row in the database. */
export interface PendingObjects {
  get(key: Buffer): PendingObject | undefined;
  readonly size: number;
  /** A lease relies on it: a write that fails fails that lease too. */
  rely(key: Buffer, lease: StoreLease): void;
  setShared(key: Buffer): void;
  /** Counts the object as here; the answer is the `settle` of the operation that puts its file into `cas/`. */
  begin(lease: StoreLease, info: ObjectInfo): Settle;
}

export interface PendingObjectsComponents {
  readonly index: ObjectIndex;
  readonly queue: FileQueue;
  readonly sequence: Sequence;
}

interface Entry {
  readonly info: ObjectInfo;
  row: StoredRow;
  readonly leases: Set<StoreLease>;
}

export function createPendingObjects({ index, sequence }: PendingObjectsComponents): PendingObjects {
  const entries = new Map<string, Entry>();
  return {
    get: (key) => (entries.size === 0 ? undefined : entries.get(keyText(key))),
    get size() {
      return entries.size;
    },
    rely(key, lease) {
      if (entries.size > 0) entries.get(keyText(key))?.leases.add(lease);
    },
    setShared(key) {
      const entry = entries.size === 0 ? undefined : entries.get(keyText(key));
      if (entry !== undefined) entry.row = { ...entry.row, shared: true };
    },
    begin(lease, info) {
      const key = blockKey(info.cid) as Buffer;
      const text = keyText(key);
      const row = { shared: lease.shared, born: sequence.take(), size: info.size, storedSize: info.size };
      const entry: Entry = { info, row, leases: new Set([lease]) };
      entries.set(text, entry);
      return (failure: Fault | undefined) => {
        entries.delete(text);
        if (failure === undefined) {
          index.put(key, entry.row, info.leaves && Buffer.from(info.leaves));
        } else {
          for (const dependent of entry.leases) dependent.fail(failure);
        }
      };
    },
  };
}
