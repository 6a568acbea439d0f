import type { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import { verifyBlock } from '../image/dag/dag-node.ts';
import { CHUNK_SIZE, leafCount } from '../image/dag/file-dag.ts';
import { blockKey, cidOfKey } from './block-key.ts';
import { createCopyArena } from './copy-arena.ts';
import type { Database } from './database.ts';
import type { FileQueue } from './file-queue.ts';
import { bitmapLength, setBit } from './leaf-bitmap.ts';
import type { Lease } from './lease.ts';
import type { LeaseBook, StoreLease } from './lease-book.ts';
import type { HolderIndex, ObjectIndex } from './object-index.ts';
import { readRange, readRangeSync } from './object-reader.ts';
import type { ObjectInfo, ObjectStore, ObjectWriter, PartialObject, PutOptions } from './object-store.ts';
import { createObjectWriter, type WriterSurroundings } from './object-writer.ts';
import type { PartialObjects } from './partial-objects.ts';
import type { PendingObjects } from './pending-objects.ts';
import type { StoreLayout } from './store-layout.ts';

export interface ObjectStoreComponents {
  readonly layout: StoreLayout;
  readonly database: Database;
  readonly queue: FileQueue;
  readonly objects: ObjectIndex;
  readonly holders: HolderIndex;
  readonly pending: PendingObjects;
  readonly partials: PartialObjects;
  readonly leases: LeaseBook;
  readonly temporaryFile: () => string;
  /** Makes all that is written and committed so far survive a power loss. */
  readonly flush: () => Promise<void>;
}

/** Rows of the database on their way above which writers wait. */
const MAX_PENDING_ROW_BYTES = 16 * 1024 * 1024;
/** Objects with one first leaf that are looked at for a candidate. */
const MAX_CANDIDATES = 64;

export function createDiskObjectStore(components: ObjectStoreComponents): ObjectStore {
  return new DiskObjectStore(components);
}

class DiskObjectStore implements ObjectStore {
  readonly #components: ObjectStoreComponents;
  readonly #arena = createCopyArena();

  constructor(components: ObjectStoreComponents) {
    this.#components = components;
  }

  has(cid: CID): boolean {
    const key = blockKey(cid);
    return key !== undefined && this.#hasKey(key);
  }

  #hasKey(key: Buffer): boolean {
    const { pending, objects } = this.#components;
    return pending.get(key) !== undefined || objects.has(key);
  }

  info(cid: CID): ObjectInfo | undefined {
    const key = blockKey(cid);
    if (key === undefined) return undefined;
    const { pending, objects } = this.#components;
    const waiting = pending.get(key);
    if (waiting !== undefined) return waiting.info;
    const row = objects.row(key);
    if (row === undefined) return undefined;
    const leaves = objects.leaves(key);
    return { cid, size: row.size, ...(leaves !== undefined && { leaves }) };
  }

  write(lease: Lease, expectedSize?: number): ObjectWriter {
    const storeLease = this.#components.leases.check(lease);
    return createObjectWriter(this.#surroundings(storeLease), storeLease, expectedSize);
  }

  #surroundings(lease: StoreLease): WriterSurroundings {
    const { queue, layout, pending, temporaryFile } = this.#components;
    return {
      queue,
      temporaryFile,
      copy: (bytes) => this.#arena.copy(bytes),
      path: (cid) => layout.object(cid),
      candidate: (size, first) => this.#candidate(lease, size, first),
      seeIfHere: ({ cid }) => {
        lease.see(cid);
        return this.has(cid);
      },
      begin: (info) => pending.begin(lease, info),
    };
  }

  #candidate(lease: Lease, size: number, first: Uint8Array): ObjectInfo | undefined {
    const { holders, objects } = this.#components;
    let looked = 0;
    for (const { key, leaf } of holders.find(first)) {
      if (++looked > MAX_CANDIDATES) return undefined;
      if (leaf !== 0 || objects.row(key)?.size !== size) continue;
      const cid = cidOfKey(key);
      lease.see(cid);
      return this.info(cid);
    }
    return undefined;
  }

  putWhole(lease: Lease, cid: CID, bytes: Uint8Array, { checked = false }: PutOptions = {}): void {
    const { leases, queue, layout, pending, temporaryFile } = this.#components;
    const storeLease = leases.check(lease);
    if (bytes.length > CHUNK_SIZE || blockKey(cid) === undefined) {
      throw new Fault('invalid', 'not-one-block', `${cid} is not one block of at most ${CHUNK_SIZE} bytes`, {
        fields: { block: cid.toString(), size: bytes.length },
      });
    }
    if (!checked) verifyBlock(cid, bytes);
    storeLease.see(cid);
    if (this.has(cid)) return;
    const settle = pending.begin(storeLease, { cid, size: bytes.length });
    const path = layout.object(cid.toString());
    queue.push({ op: 'write', tmp: temporaryFile(), path }, [bytes], settle);
  }

  async partial(lease: Lease, info: ObjectInfo): Promise<PartialObject> {
    const storeLease = this.#components.leases.check(lease);
    storeLease.see(info.cid);
    const whole = this.info(info.cid);
    if (whole !== undefined) return new WholeObject(whole);
    return this.#components.partials.open(storeLease, info);
  }

  drained(lease?: Lease): Promise<void> | undefined {
    const { queue, database } = this.#components;
    this.#throwFailure(lease);
    // Called for every block: no promise where nothing is to be waited for.
    if (!queue.full && database.pendingBytes <= MAX_PENDING_ROW_BYTES) return undefined;
    return this.#drain(lease);
  }

  async #drain(lease: Lease | undefined): Promise<void> {
    const { queue, database } = this.#components;
    await queue.drained();
    if (database.pendingBytes > MAX_PENDING_ROW_BYTES) await database.committed();
    this.#throwFailure(lease);
  }

  #throwFailure(lease: Lease | undefined): void {
    const { leases } = this.#components;
    const failure = lease === undefined ? leases.failure() : (lease as StoreLease).failure;
    if (failure !== undefined) throw failure;
  }

  async readable(cid: CID): Promise<boolean> {
    const key = blockKey(cid);
    if (key === undefined) return false;
    const { pending, queue, objects } = this.#components;
    if (pending.get(key) !== undefined) await queue.idle();
    return objects.has(key);
  }

  async read(cid: CID, offset: number, length: number): Promise<Buffer> {
    const key = this.#keyOf(cid);
    const { pending, queue } = this.#components;
    if (pending.get(key) !== undefined) await queue.idle();
    return readRange(this.#path(cid), offset, this.#clip(cid, key, offset, length));
  }

  readSync(cid: CID, offset: number, length: number): Buffer {
    const key = this.#keyOf(cid);
    const { pending, queue } = this.#components;
    const waiting = pending.get(key);
    if (waiting === undefined)
      return readRangeSync(this.#path(cid), offset, this.#clip(cid, key, offset, length));
    queue.waitSync();
    return readRangeSync(this.#path(cid), offset, clip(waiting.info.size, offset, length));
  }

  #keyOf(cid: CID): Buffer {
    const key = blockKey(cid);
    if (key === undefined) throw noObject(cid);
    return key;
  }

  #path(cid: CID): string {
    return this.#components.layout.object(cid.toV1().toString());
  }

  #clip(cid: CID, key: Buffer, offset: number, length: number): number {
    const row = this.#components.objects.row(key);
    if (row === undefined) throw noObject(cid);
    return clip(row.size, offset, length);
  }

  async flush(lease?: Lease): Promise<void> {
    this.#throwFailure(lease);
    await this.#components.flush();
    this.#throwFailure(lease);
  }
}

function clip(size: number, offset: number, length: number): number {
  if (!(offset >= 0 && length >= 0)) {
    throw new Fault('invalid', 'bad-range', `no range: ${length} bytes at ${offset}`, {
      fields: { offset, length },
    });
  }
  return Math.max(0, Math.min(length, size - offset));
}

function noObject(cid: CID): Fault {
  return new Fault('not-found', 'no-object', `object ${cid} is not here`, {
    fields: { block: cid.toString() },
  });
}

/** A complete object in the shape of a partial one. */
class WholeObject implements PartialObject {
  readonly cid: CID;
  readonly size: number;
  readonly leafCount: number;
  readonly bitmap: Uint8Array;
  readonly complete = true;

  constructor({ cid, size }: ObjectInfo) {
    this.cid = cid;
    this.size = size;
    this.leafCount = leafCount(size);
    this.bitmap = new Uint8Array(bitmapLength(this.leafCount));
    for (let leaf = 0; leaf < this.leafCount; leaf++) setBit(this.bitmap, leaf);
  }

  hasLeaf(leaf: number): boolean {
    return leaf >= 0 && leaf < this.leafCount;
  }

  async putLeaf(): Promise<void> {}
}
