import { fileDag } from '../image/dag/file-dag.ts';
import { BLOCK_KEY_LENGTH } from './block-key.ts';
import type { Database } from './database.ts';
import { decodeStoredRow, encodeStoredRow, type StoredRow } from './stored-row.ts';
import { prefixEnd, type Row, type RowRange, type Table } from './table.ts';

/** Where a block lies that is part of an object of several: `leaf` -1 where it is an inner node. */
export interface Holder {
  /** The object's key; it may be complete or partial. */
  readonly key: Buffer;
  readonly leaf: number;
}

/**
 * The database's side of objects, complete or partial: a row and the leaf hashes of each, and from every leaf and inner
 * node back to the objects that hold it.
 */
export interface ObjectIndex {
  row(key: Buffer): StoredRow | undefined;
  has(key: Buffer): boolean;
  leaves(key: Buffer): Buffer | undefined;
  /** A row that is shared stays so. */
  put(key: Buffer, row: StoredRow, leaves: Buffer | undefined): void;
  setShared(key: Buffer, row: StoredRow, shared: boolean): void;
  /** @param keepHolders the object only moves between complete and partial */
  remove(key: Buffer, keepHolders?: boolean): void;
  committedRows(range: RowRange): Row[];
  readonly count: number;
  /** Stored bytes of all; set once after opening. */
  bytes: number;
}

/** Leaf or inner node -> objects, complete and partial alike. */
export interface HolderIndex {
  /** All leaves but those that stand in the same object before, and all inner nodes but the root. */
  add(key: Buffer, size: number, leaves: Buffer): void;
  remove(key: Buffer, size: number, leaves: Buffer): void;
  find(digest: Uint8Array): Iterable<Holder>;
}

const INNER_NODE = 0xffff_ffff;
const FIND_STEP = 16;

export function openHolderIndex(database: Database): HolderIndex {
  const table = database.table('holders');
  /** Rows not committed yet cannot be ranged over; few and for milliseconds. */
  const fresh = new Map<string, Holder[]>();

  /** Calls `visit` for each distinct digest below an object. */
  const each = (size: number, leaves: Buffer, visit: (digest: Uint8Array, leaf: number) => void): void => {
    const seen = new Set<string>();
    for (let at = 0; at < leaves.length; at += 32) {
      const digest = leaves.subarray(at, at + 32);
      const text = digest.toString('latin1');
      if (seen.has(text)) continue;
      seen.add(text);
      visit(digest, at / 32);
    }
    const inner = fileDag(size, leaves).nodes.slice(0, -1);
    for (const node of inner) visit(node.cid.multihash.digest, INNER_NODE);
  };

  return {
    add(key, size, leaves) {
      const added: string[] = [];
      each(size, leaves, (digest, leaf) => {
        const value = Buffer.allocUnsafe(4);
        value.writeUInt32LE(leaf);
        table.put(Buffer.concat([digest, key]), value);
        const text = Buffer.from(digest).toString('latin1');
        const holders = fresh.get(text);
        const holder = { key, leaf: leaf === INNER_NODE ? -1 : leaf };
        if (holders === undefined) fresh.set(text, [holder]);
        else holders.push(holder);
        added.push(text);
      });
      database.afterCommit(() => {
        for (const text of added) {
          const rest = fresh.get(text)?.filter((holder) => holder.key !== key) ?? [];
          if (rest.length === 0) fresh.delete(text);
          else fresh.set(text, rest);
        }
      });
    },
    remove(key, size, leaves) {
      each(size, leaves, (digest) => table.remove(Buffer.concat([digest, key])));
    },
    *find(digest) {
      if (fresh.size > 0) yield* fresh.get(Buffer.from(digest).toString('latin1')) ?? [];
      const prefix = Buffer.from(digest);
      const to = prefixEnd(prefix);
      for (let from = prefix; ; ) {
        const rows = table.committedRows({ from, to, limit: FIND_STEP });
        for (const { key, value } of rows) {
          const leaf = value.readUInt32LE();
          yield { key: key.subarray(32, 32 + BLOCK_KEY_LENGTH), leaf: leaf === INNER_NODE ? -1 : leaf };
        }
        const last = rows.at(-1);
        if (last === undefined || rows.length < FIND_STEP) return;
        from = Buffer.concat([last.key, Buffer.of(0)]);
      }
    },
  };
}

/** @param name `objects` or `partials` */
export function openObjectIndex(database: Database, name: string, holders: HolderIndex): ObjectIndex {
  return new TableObjectIndex(database.table(name), database.table(`${name}-leaves`), holders);
}

class TableObjectIndex implements ObjectIndex {
  readonly #rows: Table;
  readonly #leaves: Table;
  readonly #holders: HolderIndex;
  bytes = 0;

  constructor(rows: Table, leaves: Table, holders: HolderIndex) {
    this.#rows = rows;
    this.#leaves = leaves;
    this.#holders = holders;
  }

  row(key: Buffer): StoredRow | undefined {
    const bytes = this.#rows.get(key);
    return bytes && decodeStoredRow(bytes);
  }

  has(key: Buffer): boolean {
    return this.#rows.has(key);
  }

  leaves(key: Buffer): Buffer | undefined {
    return this.#leaves.get(key);
  }

  put(key: Buffer, row: StoredRow, leaves: Buffer | undefined): void {
    const before = this.row(key);
    this.bytes += row.storedSize - (before?.storedSize ?? 0);
    // It may come a second time by another way, for nobody who shares it: a pin has marked it for its image.
    this.#rows.put(key, encodeStoredRow({ ...row, shared: row.shared || before?.shared === true }));
    if (leaves === undefined) return;
    this.#leaves.put(key, leaves);
    this.#holders.add(key, row.size, leaves);
  }

  setShared(key: Buffer, row: StoredRow, shared: boolean): void {
    if (row.shared !== shared) this.#rows.put(key, encodeStoredRow({ ...row, shared }));
  }

  remove(key: Buffer, keepHolders = false): void {
    const row = this.row(key);
    if (row === undefined) return;
    this.bytes -= row.storedSize;
    this.#rows.remove(key);
    const leaves = this.leaves(key);
    if (leaves === undefined) return;
    this.#leaves.remove(key);
    if (!keepHolders) this.#holders.remove(key, row.size, leaves);
  }

  committedRows(range: RowRange): Row[] {
    return this.#rows.committedRows(range);
  }

  get count(): number {
    return this.#rows.count;
  }
}
