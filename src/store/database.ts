import { constants } from 'node:os';
import { type Database as LmdbDatabase, open, type RootDatabase } from 'lmdb';
import { type Fault, toFault } from '../base/fault.ts';
import { freeBytes } from './disk-space.ts';
import type { Row, RowRange, Table } from './table.ts';

/** LMDB with tables whose writes are seen at once and committed in batches off the main thread. */
export interface Database {
  table(name: string): Table;
  /** Bytes of rows that wait for their commit. */
  readonly pendingBytes: number;
  /** All rows put before this call are committed: they survive the process, not yet a power loss. */
  committed(): Promise<void>;
  /** Calls back after the commit, or its failure, that takes the rows put before this call; does not hasten it. */
  afterCommit(done: () => void): void;
  /** The same, and they are on disk. */
  durable(): Promise<void>;
  close(): Promise<void>;
}

/** A row on its way; `value` absent: a removal. */
interface PendingRow {
  readonly table: LmdbTable;
  readonly text: string;
  readonly key: Buffer;
  readonly value: Buffer | undefined;
}

/**
 * How long rows are gathered before they are committed: each commit is work for three threads and an fdatasync, and a
 * pull of 12,000 files made one for every few of them.
 */
const GATHER_MS = 25;

export function openDatabase(path: string, maxBytes: number): Database {
  return new LmdbStore(path, maxBytes);
}

class LmdbStore implements Database {
  readonly #path: string;
  readonly #root: RootDatabase<Buffer, Buffer>;
  #dirty: PendingRow[] = [];
  #timer: NodeJS.Timeout | undefined;
  #afterCommit: (() => void)[] = [];
  /** The last commit while it runs; it fails where one before it did. */
  #inFlight: Promise<void> | undefined;
  pendingBytes = 0;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#root = open<Buffer, Buffer>({
      path,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: 24,
      mapSize: maxBytes,
      // Batches of its own making leave a rejected promise behind when a commit fails, which ends the process.
      eventTurnBatching: false,
    });
  }

  table(name: string): Table {
    const database = this.#root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
    return new LmdbTable(database, (row) => this.#enqueue(row));
  }

  #enqueue(row: PendingRow): void {
    this.#dirty.push(row);
    this.pendingBytes += row.value?.length ?? 0;
    this.#timer ??= setTimeout(() => this.#commit().catch(() => {}), GATHER_MS);
  }

  /** Hands all waiting rows to LMDB's write thread, which commits them in one transaction. */
  #commit(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = this.#dirty;
    if (rows.length === 0) return this.#inFlight ?? Promise.resolve();
    this.#dirty = [];
    const afterCommit = this.#afterCommit;
    this.#afterCommit = [];
    const writes: Promise<unknown>[] = [];
    const batch = this.#root.batch(() => {
      for (const row of rows) {
        if (!row.table.isLatest(row)) continue;
        const { database } = row.table;
        writes.push(row.value === undefined ? database.remove(row.key) : database.put(row.key, row.value));
      }
    });
    const before = this.#inFlight;
    const commit = Promise.all([batch, ...writes]).then(
      async () => {
        for (const row of rows) this.pendingBytes -= row.value?.length ?? 0;
        // Reads of this turn may still use a snapshot from before the commit.
        this.#root.resetReadTxn();
        for (const row of rows) row.table.forget(row);
        await before;
      },
      async (error) => {
        // The rows stay visible and go with the next commit.
        this.#dirty = rows.concat(this.#dirty);
        throw await commitFault(error, this.#path, this.pendingBytes);
      },
    );
    this.#inFlight = commit;
    const over = (): void => {
      if (this.#inFlight === commit) this.#inFlight = undefined;
      for (const done of afterCommit) done();
    };
    commit.then(over, over);
    return commit;
  }

  async committed(): Promise<void> {
    await this.#commit();
  }

  afterCommit(done: () => void): void {
    this.#afterCommit.push(done);
  }

  async durable(): Promise<void> {
    await this.#commit();
    await this.#root.flushed;
  }

  async close(): Promise<void> {
    let lost: unknown;
    await this.durable().catch((error) => {
      lost = error;
    });
    const closed = this.#root.close();
    if (lost === undefined) return closed;
    // After a commit that failed lmdb may wait for its end for ever.
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_WAIT_MS).unref())]);
    throw lost;
  }
}

/** lmdb's answer to a commit that failed: the reason comes by a second promise. */
interface CommitError extends Error {
  readonly commitError?: Promise<unknown>;
}

const REASON_WAIT_MS = 200;
const CLOSE_WAIT_MS = 2000;

/** @param wanted bytes of the rows that were to be committed */
async function commitFault(error: CommitError, path: string, wanted: number): Promise<Fault> {
  const reason = await Promise.race([
    error.commitError?.then(
      () => error,
      (cause: unknown) => cause,
    ) ?? error,
    new Promise((resolve) => setTimeout(resolve, REASON_WAIT_MS, error).unref()),
  ]);
  // The reason's number is lost on some ways out of lmdb: the disk itself says whether it is full.
  const isFull = (reason as { code?: unknown }).code === constants.errno.ENOSPC || freeBytes(path) < wanted;
  return toFault(isFull ? Object.assign(new Error(String(reason)), { code: 'ENOSPC', path }) : reason);
}

class LmdbTable implements Table {
  readonly database: LmdbDatabase<Buffer, Buffer>;
  readonly #enqueue: (row: PendingRow) => void;
  /** lmdb shows a put only after its commit: until then it is found here. */
  readonly #pending = new Map<string, PendingRow>();

  constructor(database: LmdbDatabase<Buffer, Buffer>, enqueue: (row: PendingRow) => void) {
    this.database = database;
    this.#enqueue = enqueue;
  }

  get(key: Buffer): Buffer | undefined {
    if (this.#pending.size > 0) {
      const row = this.#pending.get(key.toString('latin1'));
      if (row !== undefined) return row.value;
    }
    return this.database.getBinary(key);
  }

  has(key: Buffer): boolean {
    if (this.#pending.size > 0) {
      const row = this.#pending.get(key.toString('latin1'));
      if (row !== undefined) return row.value !== undefined;
    }
    return this.database.doesExist(key);
  }

  put(key: Buffer, value: Buffer): void {
    this.#write(key, value);
  }

  remove(key: Buffer): void {
    this.#write(key, undefined);
  }

  #write(key: Buffer, value: Buffer | undefined): void {
    const row: PendingRow = { table: this, text: key.toString('latin1'), key, value };
    this.#pending.set(row.text, row);
    this.#enqueue(row);
  }

  isLatest(row: PendingRow): boolean {
    return this.#pending.get(row.text) === row;
  }

  forget(row: PendingRow): void {
    if (this.isLatest(row)) this.#pending.delete(row.text);
  }

  committedRows({ from, to, limit }: RowRange): Row[] {
    const options = { limit, ...(from && { start: from }), ...(to && { end: to }) };
    return [...this.database.getRange(options)];
  }

  get count(): number {
    return (this.database.getStats() as { entryCount: number }).entryCount;
  }
}
