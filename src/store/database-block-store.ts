import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import { MAX_BLOCK_SIZE, verifyBlock } from '../image/dag/dag-node.ts';
import { RAW_CODEC } from '../image/dag/file-dag.ts';
import { blockKey } from './block-key.ts';
import type { BlockLocation, BlockLocator } from './block-locator.ts';
import type { BlockStore } from './block-store.ts';
import type { DiskSpace } from './disk-space.ts';
import type { FileQueue } from './file-queue.ts';
import type { Lease } from './lease.ts';
import type { LeaseBook } from './lease-book.ts';
import { readRange, readRangeSync } from './object-reader.ts';
import type { ObjectStore } from './object-store.ts';
import type { Sequence } from './sequence.ts';
import { decodeStoredRow, encodeStoredRow, type StoredRow } from './stored-row.ts';
import type { Row, RowRange, Table } from './table.ts';

/** Blocks with a row of their own, for the sweep and for shared marks. */
export interface OwnBlocks extends BlockStore {
  hasOwn(key: Buffer): boolean;
  /** Gives a block a row of its own that is here only as part of an object, which may go; false where it is not here. */
  adopt(cid: CID): boolean;
  row(key: Buffer): StoredRow | undefined;
  setShared(key: Buffer, shared: boolean): void;
  remove(key: Buffer): void;
  committedRows(range: RowRange): Row[];
  readonly count: number;
  /** Stored bytes of all; set once after opening. */
  storedBytes: number;
}

export interface BlockStoreComponents {
  readonly rows: Table;
  readonly bytes: Table;
  readonly locator: BlockLocator;
  readonly objects: ObjectStore;
  readonly queue: FileQueue;
  readonly leases: LeaseBook;
  readonly sequence: Sequence;
  readonly space: DiskSpace;
}

// A directory node is mostly hashes, which no compressor makes smaller: small ones are not worth a try.
const MIN_COMPRESSED = { raw: 512, dagPb: 4096 };

export function createBlockStore(components: BlockStoreComponents): OwnBlocks {
  return new DatabaseBlockStore(components);
}

class DatabaseBlockStore implements OwnBlocks {
  readonly #components: BlockStoreComponents;
  storedBytes = 0;

  constructor(components: BlockStoreComponents) {
    this.#components = components;
  }

  has(cid: CID): boolean {
    const key = blockKey(cid);
    if (key === undefined) return false;
    return this.hasOwn(key) || this.#components.locator.locate(cid, false) !== undefined;
  }

  async get(
    cid: CID,
    { sharedOnly = false }: { sharedOnly?: boolean } = {},
  ): Promise<Uint8Array | undefined> {
    const own = this.#own(cid, sharedOnly);
    if (own !== undefined) return own;
    const found = this.#components.locator.locate(cid, sharedOnly);
    if (found === undefined || found.kind === 'node') return found?.bytes;
    if (found.waiting) await this.#components.queue.idle();
    try {
      return await readRange(found.path, found.offset, found.length);
    } catch (error) {
      // A partial object that was completed, or a sweep, between look-up and open.
      if (!(error instanceof Fault) || error.code !== 'no-file') throw error;
      return this.getSync(cid, { sharedOnly });
    }
  }

  getSync(cid: CID, { sharedOnly = false }: { sharedOnly?: boolean } = {}): Uint8Array | undefined {
    const own = this.#own(cid, sharedOnly);
    if (own !== undefined) return own;
    const found = this.#components.locator.locate(cid, sharedOnly);
    return found && this.#readSync(found);
  }

  #readSync(found: BlockLocation): Uint8Array | undefined {
    if (found.kind === 'node') return found.bytes;
    if (found.waiting) this.#components.queue.waitSync();
    try {
      return readRangeSync(found.path, found.offset, found.length);
    } catch (error) {
      if (error instanceof Fault && error.code === 'no-file') return undefined;
      throw error;
    }
  }

  size(cid: CID, { sharedOnly = false }: { sharedOnly?: boolean } = {}): number | undefined {
    const key = blockKey(cid);
    const row = key && this.row(key);
    if (row !== undefined && (row.shared || !sharedOnly)) return row.size;
    const found = this.#components.locator.locate(cid, sharedOnly);
    return found?.kind === 'node' ? found.bytes.length : found?.length;
  }

  #own(cid: CID, sharedOnly: boolean): Uint8Array | undefined {
    const key = blockKey(cid);
    const row = key && this.row(key);
    if (key === undefined || row === undefined || (sharedOnly && !row.shared)) return undefined;
    const stored = this.#components.bytes.get(key);
    if (stored === undefined || row.storedSize === row.size) return stored;
    return zstdDecompressSync(stored, { maxOutputLength: row.size });
  }

  put(lease: Lease, cid: CID, bytes: Uint8Array): void {
    const { leases, objects } = this.#components;
    const storeLease = leases.check(lease);
    const key = blockKey(cid);
    if (key === undefined || bytes.length > MAX_BLOCK_SIZE) {
      throw new Fault(
        'invalid',
        'bad-block',
        `${cid} cannot be kept: ${bytes.length} bytes, at most ${MAX_BLOCK_SIZE}`,
        {
          fields: { block: cid.toString(), size: bytes.length },
        },
      );
    }
    verifyBlock(cid, bytes);
    storeLease.see(cid);
    if (this.hasOwn(key) || objects.has(cid)) return;
    this.#keep(key, cid, bytes, storeLease.shared);
  }

  adopt(cid: CID): boolean {
    const key = blockKey(cid);
    const bytes = this.getSync(cid);
    if (key === undefined || bytes === undefined) return false;
    verifyBlock(cid, bytes);
    if (!this.hasOwn(key)) this.#keep(key, cid, bytes, false);
    return true;
  }

  #keep(key: Buffer, cid: CID, bytes: Uint8Array, shared: boolean): void {
    const { rows, bytes: stored, sequence, space } = this.#components;
    const kept = compress(cid, bytes);
    space.claim(kept.length);
    this.storedBytes += kept.length;
    stored.put(key, kept);
    rows.put(
      key,
      encodeStoredRow({ shared, born: sequence.take(), size: bytes.length, storedSize: kept.length }),
    );
  }

  hasOwn(key: Buffer): boolean {
    return this.#components.rows.has(key);
  }

  row(key: Buffer): StoredRow | undefined {
    const bytes = this.#components.rows.get(key);
    return bytes && decodeStoredRow(bytes);
  }

  setShared(key: Buffer, shared: boolean): void {
    const row = this.row(key);
    if (row === undefined || row.shared === shared) return;
    this.#components.rows.put(key, encodeStoredRow({ ...row, shared }));
  }

  remove(key: Buffer): void {
    this.storedBytes -= this.row(key)?.storedSize ?? 0;
    this.#components.rows.remove(key);
    this.#components.bytes.remove(key);
  }

  committedRows(range: RowRange): Row[] {
    return this.#components.rows.committedRows(range);
  }

  get count(): number {
    return this.#components.rows.count;
  }
}

/** The caller's bytes or their zstd form, whichever is clearly smaller; always a copy. */
function compress(cid: CID, bytes: Uint8Array): Buffer {
  const least = cid.code === RAW_CODEC ? MIN_COMPRESSED.raw : MIN_COMPRESSED.dagPb;
  if (bytes.length >= least) {
    const small = zstdCompressSync(bytes);
    if (small.length < bytes.length * 0.9) return small;
  }
  return Buffer.from(bytes);
}
