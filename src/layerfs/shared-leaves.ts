import { bitmapLength } from '../store/leaf-bitmap.ts';

/**
 * Which leaves of a partial object are here, in memory that both threads have. Whoever fetched some marks them, so that
 * the FUSE thread answers the next read at once. Never cleared but by a new one: what is here stays.
 *
 * | offset | |
 * |---|---|
 * | 0 | i32 flags: 1 the whole object is in `cas/`; 2 the file is another one than `inode` says |
 * | 8 | f64 inode of the file below `partial/` that the marks speak of; 0 while it is not open |
 * | 16 | one bit a leaf, leaf 0 in bit 0 of byte 0 |
 *
 * The inode matters where a partial object was removed and came again while it was open: marks of the new file would
 * make holes of the old one read as zeros.
 */
export interface SharedLeaves {
  readonly buffer: SharedArrayBuffer;
  /** The object is whole in `cas/`. */
  whole: boolean;
  /** The marks are of another file: open it anew. */
  stale: boolean;
  inode: number;
  /** Whether all of `[first, end)` are here. */
  has(first: number, end: number): boolean;
  mark(first: number, end: number): void;
  /** Adds the marks of a `.bits` file; of the wrong length they mean nothing. */
  add(bits: Uint8Array): void;
  clear(): void;
}

const HEADER = 16;
const WHOLE = 1;
const STALE = 2;

/** @param leaves of the object, at least 1 */
export function createSharedLeaves(leaves: number): SharedLeaves {
  return new Marks(new SharedArrayBuffer(HEADER + bitmapLength(leaves)));
}

/** The other thread's. */
export function attachSharedLeaves(buffer: SharedArrayBuffer): SharedLeaves {
  return new Marks(buffer);
}

class Marks implements SharedLeaves {
  readonly buffer: SharedArrayBuffer;
  readonly #flags: Int32Array;
  readonly #inode: Float64Array;
  readonly #bits: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#flags = new Int32Array(buffer, 0, 1);
    this.#inode = new Float64Array(buffer, 8, 1);
    this.#bits = new Uint8Array(buffer, HEADER);
  }

  #flag(flag: number): boolean {
    return (Atomics.load(this.#flags, 0) & flag) !== 0;
  }

  #setFlag(flag: number, on: boolean): void {
    if (on) Atomics.or(this.#flags, 0, flag);
    else Atomics.and(this.#flags, 0, ~flag);
  }

  get whole(): boolean {
    return this.#flag(WHOLE);
  }

  set whole(on: boolean) {
    this.#setFlag(WHOLE, on);
  }

  get stale(): boolean {
    return this.#flag(STALE);
  }

  set stale(on: boolean) {
    this.#setFlag(STALE, on);
  }

  get inode(): number {
    return this.#inode[0] as number;
  }

  set inode(inode: number) {
    this.#inode[0] = inode;
  }

  has(first: number, end: number): boolean {
    for (let leaf = first; leaf < end; leaf++) {
      if (((Atomics.load(this.#bits, leaf >> 3) >> (leaf & 7)) & 1) === 0) return false;
    }
    return true;
  }

  mark(first: number, end: number): void {
    for (let leaf = first; leaf < end; leaf++) Atomics.or(this.#bits, leaf >> 3, 1 << (leaf & 7));
  }

  add(bits: Uint8Array): void {
    if (bits.length !== this.#bits.length) return;
    for (let i = 0; i < bits.length; i++) if (bits[i] !== 0) Atomics.or(this.#bits, i, bits[i] as number);
  }

  clear(): void {
    for (let i = 0; i < this.#bits.length; i++) Atomics.store(this.#bits, i, 0);
  }
}
