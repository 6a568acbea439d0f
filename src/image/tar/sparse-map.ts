import { badSparseMap } from './tar-defect.ts';
import type { SparseFragment } from './tar-entry.ts';
import { parseDecimal } from './tar-number.ts';

/**
 * Where the map of a sparse file stands: in the header and blocks behind it (GNU's first form, typeflag `S`), in a PAX
 * record (formats 0.0 and 0.1), or in front of the content, as part of the body (1.0).
 */
export type SparseForm = 'none' | 'old-header' | 'record' | 'in-content';

/** A map that is being read. */
export interface SparseMap {
  /** Logical bytes of the file. */
  readonly size: number;
  /** Bytes of content behind the map. */
  readonly storedSize: number;
  /** All fragments as they stand once the map is complete, else `undefined`: the next block belongs to it. */
  readonly fragments: readonly SparseFragment[] | undefined;
  /** Takes the 512 bytes at `at`, while the map is not complete. */
  take(block: Uint8Array, at: number): void;
}

/** Pairs of decimal numbers as fragments. */
export function toFragments(numbers: readonly string[]): SparseFragment[] {
  const fragments: SparseFragment[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const offset = parseDecimal(numbers[i] as string);
    const length = parseDecimal(numbers[i + 1] as string);
    if (Number.isNaN(offset) || Number.isNaN(length)) throw badSparseMap('not a number');
    fragments.push({ offset, length });
  }
  return fragments;
}

/**
 * Go's rules: no negative number, ascending, no overlap, within the file; and the fragments are exactly the stored
 * bytes (Go fails while it reads: "references non-existent data", "contains unreferenced data"). Answers the
 * fragments without empty ones.
 */
export function checkSparseMap({ fragments = [], size, storedSize }: SparseMap): SparseFragment[] {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of fragments) {
    if (!(offset >= 0 && length >= 0)) throw badSparseMap('negative number');
    if (offset + length > size) throw badSparseMap('a fragment lies beyond the end of the file');
    if (offset < end) throw badSparseMap('fragments overlap or are out of order');
    end = offset + length;
    sum += length;
  }
  if (sum !== storedSize) throw badSparseMap(`fragments of ${sum} bytes, ${storedSize} are stored`);
  return fragments.filter(({ length }) => length > 0);
}
