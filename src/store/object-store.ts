import type { CID } from 'multiformats/cid';
import type { Lease } from './lease.ts';

/** What is known of a whole file: enough to serve any block of its DAG. */
export interface ObjectInfo {
  readonly cid: CID;
  /** Bytes. */
  readonly size: number;
  /** 32 bytes a leaf of 262,144 bytes, in order; absent where the object is one raw block. */
  readonly leaves?: Uint8Array;
}

export interface FinishedObject extends ObjectInfo {
  /** Content bytes that had to be written; 0 where the object was here already. */
  readonly written: number;
}

/**
 * Takes one file's content, hashes it while it comes, and leaves it as an object. Writes nothing for content that
 * is already here: up to 1 MiB is held until its CID is known, beyond that the bytes are compared leaf by leaf with
 * an object of the same size that begins with the same leaf, and written from the first difference on.
 */
export interface ObjectWriter {
  /** Takes the bytes synchronously (copies what it must keep). Await {@link ObjectStore.drained} between writes. */
  write(bytes: Uint8Array): void;
  /** `length` zero bytes: the hole of a sparse file. */
  writeZeros(length: number): void;
  /** All bytes were given. The file is on its way to disk when this returns; `flush` makes it durable. */
  finish(): FinishedObject;
  /** Forgets the content. Idempotent. */
  abort(): void;
}

export interface PutOptions {
  /**
   * The caller hashed these very bytes against this very address, as the fetcher does with what peers send: they are
   * not hashed a second time.
   */
  readonly checked?: boolean;
}

/** An object that comes in pieces: leaf by leaf, in any order, each checked against its hash before it is kept. */
export interface PartialObject {
  readonly cid: CID;
  readonly size: number;
  readonly leafCount: number;
  /** Leaves that are here, one bit each, leaf 0 in bit 0 of byte 0. A live view, not to be changed. */
  readonly bitmap: Uint8Array;
  hasLeaf(leaf: number): boolean;
  /**
   * Keeps one leaf; its bytes are copied before this returns. Completes the object (renames it into `cas/`) when it
   * was the last.
   * @throws Fault `corrupt/block-mismatch` when the bytes do not hash to the leaf.
   */
  putLeaf(leaf: number, bytes: Uint8Array, options?: PutOptions): Promise<void>;
  readonly complete: boolean;
}

/**
 * Whole files by CID, one copy of every byte: `cas/<xx>/<cid>` (there = complete), `partial/<cid>` with a bitmap
 * beside it. See ARCHITECTURE.md, State, for what survives which crash.
 */
export interface ObjectStore {
  /** Complete here. Synchronous: one database look-up. */
  has(cid: CID): boolean;
  info(cid: CID): ObjectInfo | undefined;
  /** @param expectedSize bytes, where the source tells it (a tar header): lets the writer find a candidate early */
  write(lease: Lease, expectedSize?: number): ObjectWriter;
  /** One whole block of at most 262,144 bytes, copied before this returns. The bytes must hash to `cid` (checked). */
  putWhole(lease: Lease, cid: CID, bytes: Uint8Array, options?: PutOptions): void;
  /** Begins or resumes a partial object; leaves that other objects hold are taken from them. */
  partial(lease: Lease, info: ObjectInfo): Promise<PartialObject>;
  /**
   * Nothing while the queue of writes is short, else what resolves when it is: the back-pressure of every writer.
   * @param lease whose failed writes are thrown; absent: those of any open lease
   * @throws Fault `unavailable/disk-full` and others, naming the path, once a write of the lease failed
   */
  drained(lease?: Lease): Promise<void> | undefined;
  /**
   * Bytes `offset .. offset + length` of a complete object (fewer at its end).
   * @throws Fault `not-found/no-object`
   */
  read(cid: CID, offset: number, length: number): Promise<Buffer>;
  /** The same, blocking; for objects of one block on hot paths. */
  readSync(cid: CID, offset: number, length: number): Buffer;
  /**
   * Resolves when the object's file lies in `cas/` for everybody to read, with false where it is not here or could not
   * be written.
   */
  readable(cid: CID): Promise<boolean>;
  /**
   * Everything put before this call is on disk, power loss included (one syncfs serves all that wait).
   * @param lease as for {@link drained}, and throws the same
   */
  flush(lease?: Lease): Promise<void>;
}
