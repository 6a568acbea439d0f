import type { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import type { FileDag } from './file-dag.ts';

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
  /** All bytes were given; the hasher is used up. */
  finish(): HashedFile;
}

export function createFileHasher(_options: FileHasherOptions = {}): FileHasher {
  throw new Fault('internal', 'unfinished', 'createFileHasher');
}
