import type { RequestId } from './filesystem.ts';
import { IN_HEADER } from './wire/request-layouts.ts';

const HIGH = 2 ** 32;
const HEADER_LENGTH = IN_HEADER.at.length >>> 2;
const HEADER_OPCODE = IN_HEADER.at.opcode >>> 2;
const HEADER_UNIQUE = IN_HEADER.at.unique >>> 2;
const HEADER_NODE = IN_HEADER.at.node >>> 2;

/** Linux gives a request in whole pages at most; what one that we can get needs fits by far. */
export const REQUEST_ROOM = (1 << 20) + 4096;

/**
 * The request at hand, read in place: one object and one buffer for the life of the session. The kernel speaks the
 * host's byte order and aligns to 8 bytes, so the words are read as they lie. 64-bit fields become numbers from their
 * halves: a BigInt would be an object each.
 */
export class Request {
  readonly buffer = new Uint8Array(REQUEST_ROOM);
  readonly #words = new Uint32Array(this.buffer.buffer);
  /** Bytes of the frame. */
  length = 0;
  opcode = 0;
  /** Halves of `unique`. */
  high = 0;
  low = 0;
  /** 2^53 and above only in a frame that no kernel sends. */
  node = 0;

  /**
   * Takes the frame of `length` bytes that was read into {@link buffer}.
   * @returns false where it is no whole frame: there is nothing to answer to
   */
  take(length: number): boolean {
    const words = this.#words;
    if (length < IN_HEADER.size || words[HEADER_LENGTH] !== length) return false;
    this.length = length;
    this.opcode = words[HEADER_OPCODE]!;
    this.low = words[HEADER_UNIQUE]!;
    this.high = words[HEADER_UNIQUE + 1]!;
    this.node = words[HEADER_NODE]! + words[HEADER_NODE + 1]! * HIGH;
    return true;
  }

  /** @param at bytes from the beginning of the body, a multiple of 4 */
  u32(at: number): number {
    return this.#words[(IN_HEADER.size + at) >>> 2]!;
  }

  /** Exact up to 2^53. */
  u64(at: number): number {
    const word = (IN_HEADER.size + at) >>> 2;
    return this.#words[word]! + this.#words[word + 1]! * HIGH;
  }

  /** An id to keep: its own object. */
  id(): RequestId {
    return { high: this.high, low: this.low };
  }

  /** @returns the one text behind a body of `bodySize` bytes, as a view; `undefined` where it has no end or is more */
  name(bodySize: number): Uint8Array | undefined {
    const from = IN_HEADER.size + bodySize;
    const end = this.length - 1;
    if (end < from || this.buffer.indexOf(0, from) !== end) return undefined;
    return this.buffer.subarray(from, end);
  }
}
