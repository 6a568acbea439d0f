import { badSparseMap } from './tar-defect.ts';
import type { SparseFragment } from './tar-entry.ts';
import { TAR_BLOCK } from './tar-header.ts';
import { checkLimit, type TarLimits } from './tar-limits.ts';
import { parseDecimal, readNumeric } from './tar-number.ts';

const NUMBER_BYTES = 12;
const FRAGMENT_BYTES = 2 * NUMBER_BYTES;

/** Pairs in an extension header of the old GNU format, and the byte that says whether one more follows. */
export const EXTENSION_FRAGMENTS = 21;
export const EXTENSION_MORE = 504;

/**
 * Reads up to `count` pairs of the old GNU format; the first that begins with a NUL ends the block, as in GNU and BSD
 * tar. Appends to `fragments`.
 */
export function readOldFragments(
  block: Uint8Array,
  at: number,
  count: number,
  fragments: SparseFragment[],
  limits: TarLimits,
): void {
  for (let pair = at; pair < at + count * FRAGMENT_BYTES && block[pair] !== 0; pair += FRAGMENT_BYTES) {
    const offset = readNumeric(block, pair, NUMBER_BYTES);
    const length = readNumeric(block, pair + NUMBER_BYTES, NUMBER_BYTES);
    if (Number.isNaN(offset) || Number.isNaN(length)) throw badSparseMap('not a number');
    checkLimit(limits, 'sparseFragments', fragments.length + 1);
    fragments.push({ offset, length });
  }
}

/** Formats 0.0 and 0.1: `offset,length,offset,length...` in a PAX record, and their count in another. */
export function parseSparseRecord(
  count: string | undefined,
  map: string | undefined,
  limits: TarLimits,
): SparseFragment[] {
  const announced = parseDecimal(count ?? '');
  if (!(announced >= 0)) throw badSparseMap('no count of fragments');
  checkLimit(limits, 'sparseFragments', announced);
  const numbers = map === undefined ? [] : map.split(',');
  if (numbers.length !== 2 * announced) throw badSparseMap('count and map do not agree');
  return toFragments(numbers.map(parseDecimal));
}

/**
 * Format 1.0: decimal numbers, one a line, in whole blocks in front of the content: the count of fragments, then
 * offset and length of each. Ends with the block that holds the last of them.
 */
export class SparseMapLines {
  readonly #limits: TarLimits;
  readonly #lines: string[] = [];
  #rest = '';
  #bytes = 0;
  #count = -1;

  constructor(limits: TarLimits) {
    this.#limits = limits;
  }

  /** Takes the 512 bytes at `at`; answers the fragments when the map is complete. */
  take(block: Uint8Array, at: number): SparseFragment[] | undefined {
    this.#bytes += TAR_BLOCK;
    checkLimit(this.#limits, 'recordBytes', this.#bytes);
    const text = Buffer.from(block.buffer, block.byteOffset + at, TAR_BLOCK).toString('latin1');
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#lines.push(line);
    if (this.#count < 0 && this.#lines.length > 0) this.#count = this.#parseCount();
    if (this.#count < 0 || this.#lines.length < 1 + 2 * this.#count) return undefined;
    return toFragments(this.#lines.slice(1, 1 + 2 * this.#count).map(parseDecimal));
  }

  #parseCount(): number {
    const count = parseDecimal(this.#lines[0] as string);
    if (!(count >= 0)) throw badSparseMap('no count of fragments');
    checkLimit(this.#limits, 'sparseFragments', count);
    return count;
  }
}

/**
 * Go's rules: no negative number, ascending, no overlap, within the file; and the fragments are exactly the stored
 * bytes (Go fails while it reads: "references non-existent data", "contains unreferenced data"). Answers the
 * fragments without empty ones.
 * @param size   logical bytes of the file
 * @param stored bytes of content in the tar
 */
export function checkSparseMap(
  fragments: readonly SparseFragment[],
  size: number,
  stored: number,
): SparseFragment[] {
  if (!(size >= 0)) throw badSparseMap('negative size');
  let end = 0;
  let sum = 0;
  for (const { offset, length } of fragments) {
    if (!(offset >= 0 && length >= 0)) throw badSparseMap('negative number');
    if (offset + length > size) throw badSparseMap('a fragment lies beyond the end of the file');
    if (offset < end) throw badSparseMap('fragments overlap or are out of order');
    end = offset + length;
    sum += length;
  }
  if (sum !== stored) throw badSparseMap(`fragments of ${sum} bytes, ${stored} are stored`);
  return fragments.filter(({ length }) => length > 0);
}

function toFragments(numbers: readonly number[]): SparseFragment[] {
  const fragments: SparseFragment[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const offset = numbers[i] as number;
    const length = numbers[i + 1] as number;
    if (Number.isNaN(offset) || Number.isNaN(length)) throw badSparseMap('not a number');
    fragments.push({ offset, length });
  }
  return fragments;
}
