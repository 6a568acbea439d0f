import { createHash, type Hash } from 'node:crypto';
import type { CID } from 'multiformats/cid';
import { sha256 } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { CHUNK_SIZE, type FileDag, fileDag } from './file-dag.ts';

export interface HashedFile {
  readonly cid: CID;
  /** Bytes. */
  readonly size: number;
  /** 32 bytes: sha2-256 of the UnixFS root. */
  readonly hash: Uint8Array;
  /** 32 bytes a leaf; absent where the file is one raw block. */
  readonly leaves?: Uint8Array;
  readonly dag: FileDag;
}

export interface FileHasherOptions {
  /** Called once a leaf, in order, as soon as it is full (the last one at `finish`). `hash` is valid during the call. */
  readonly onLeaf?: (index: number, hash: Uint8Array) => void;
  /** Bytes; default {@link MAX_FILE_SIZE}. Bounds the memory for leaf hashes: 32 bytes for each 262,144. */
  readonly maxSize?: number;
}

/** 1 TiB: 128 MiB of leaf hashes. */
export const MAX_FILE_SIZE = 2 ** 40;

/** Computes a file's UnixFS CID while its bytes go by. Nothing is copied or kept but 32 bytes a leaf. */
export interface FileHasher {
  /** @throws Fault `invalid/file-too-big` */
  update(bytes: Uint8Array): void;
  /** `length` zero bytes; whole leaves of them cost a copy of one known hash. @throws Fault `invalid/file-too-big` */
  updateZeros(length: number): void;
  /** All bytes were given; the hasher is used up. @throws Fault `internal/hasher-finished` when called twice */
  finish(): HashedFile;
}

export function createFileHasher(options: FileHasherOptions = {}): FileHasher {
  return new LeafHasher(options);
}

// sha2-256 of 262,144 zero bytes.
const ZERO_LEAF = Buffer.from('8a39d2abd3999ab73c34db2476849cddf303ce389b35826850f9a700589b4a90', 'hex');
const ZEROS = new Uint8Array(16_384);

class LeafHasher implements FileHasher {
  readonly #onLeaf: FileHasherOptions['onLeaf'];
  readonly #maxSize: number;
  #size = 0;
  /** Bytes in the open leaf, 0..CHUNK_SIZE-1. */
  #filled = 0;
  #open: Hash | undefined;
  #leaves = Buffer.allocUnsafe(32);
  #count = 0;
  #finished = false;

  constructor(options: FileHasherOptions) {
    this.#onLeaf = options.onLeaf;
    this.#maxSize = options.maxSize ?? MAX_FILE_SIZE;
  }

  update(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    let at = 0;
    while (at < bytes.length) {
      if (this.#filled === 0 && bytes.length - at >= CHUNK_SIZE) {
        this.#close(sha256(bytes.subarray(at, at + CHUNK_SIZE)));
        at += CHUNK_SIZE;
        continue;
      }
      const end = Math.min(bytes.length, at + CHUNK_SIZE - this.#filled);
      this.#feed(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
      at = end;
    }
  }

  updateZeros(length: number): void {
    this.#grow(length);
    let rest = length;
    while (rest > 0) {
      if (this.#filled === 0 && rest >= CHUNK_SIZE) {
        this.#close(ZERO_LEAF);
        rest -= CHUNK_SIZE;
        continue;
      }
      const taken = Math.min(rest, CHUNK_SIZE - this.#filled, ZEROS.length);
      this.#feed(taken === ZEROS.length ? ZEROS : ZEROS.subarray(0, taken));
      rest -= taken;
    }
  }

  finish(): HashedFile {
    if (this.#finished) throw new Fault('internal', 'hasher-finished', 'the file hasher is used up');
    this.#finished = true;
    if (this.#open !== undefined) this.#close(this.#open.digest());
    else if (this.#count === 0) this.#close(sha256(ZEROS.subarray(0, 0)));
    const leaves = new Uint8Array(this.#leaves.subarray(0, this.#count * 32));
    const dag = fileDag(this.#size, leaves);
    const { cid, size } = dag;
    const found = { cid, size, hash: cid.multihash.digest, dag };
    return this.#count === 1 ? found : { ...found, leaves };
  }

  #grow(length: number): void {
    if (this.#finished) throw new Fault('internal', 'hasher-finished', 'the file hasher is used up');
    const size = this.#size + length;
    if (!(length >= 0 && size <= this.#maxSize)) {
      throw new Fault('invalid', 'file-too-big', `a file of ${size} bytes: the limit is ${this.#maxSize}`, {
        fields: { size, limit: this.#maxSize },
      });
    }
    this.#size = size;
  }

  #feed(piece: Uint8Array): void {
    this.#open ??= createHash('sha256');
    this.#open.update(piece);
    this.#filled += piece.length;
    if (this.#filled === CHUNK_SIZE) this.#close(this.#open.digest());
  }

  #close(hash: Uint8Array): void {
    if ((this.#count + 1) * 32 > this.#leaves.length) {
      const bigger = Buffer.allocUnsafe(Math.max(1024, this.#leaves.length * 2));
      bigger.set(this.#leaves);
      this.#leaves = bigger;
    }
    this.#leaves.set(hash, this.#count * 32);
    this.#onLeaf?.(this.#count, hash);
    this.#count++;
    this.#filled = 0;
    this.#open = undefined;
  }
}
