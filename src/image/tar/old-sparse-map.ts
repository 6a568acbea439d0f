import type { SparseMap } from './sparse-map.ts';
import { badSparseMap } from './tar-defect.ts';
import type { SparseFragment } from './tar-entry.ts';
import { HEADER_FIELDS } from './tar-header.ts';
import { checkLimit, type TarLimits } from './tar-limits.ts';
import { readNumeric } from './tar-number.ts';

const NUMBER_BYTES = 12;
const FRAGMENT_BYTES = 2 * NUMBER_BYTES;

/** Fragments in the header; fragments in each block behind it; the byte there that says whether one more follows. */
const HEADER_FRAGMENTS = 4;
const EXTENSION_FRAGMENTS = 21;
const EXTENSION_MORE = 504;

/** GNU's first form (tar's manual, "Old GNU Format"): the extension blocks are not counted in the header's size. */
export function openOldSparseMap(
  block: Uint8Array,
  at: number,
  storedSize: number,
  limits: TarLimits,
): SparseMap {
  const [sizeAt, sizeBytes] = HEADER_FIELDS.gnuRealSize;
  const size = readNumeric(block, at + sizeAt, sizeBytes);
  if (!(size >= 0)) throw badSparseMap('the real size is not a number');
  checkLimit(limits, 'fileSize', size);
  const map = new OldSparseMap(size, storedSize, limits);
  map.read(block, at + HEADER_FIELDS.gnuSparse[0], HEADER_FRAGMENTS);
  map.more = block[at + HEADER_FIELDS.gnuSparseExtended[0]] !== 0;
  return map;
}

class OldSparseMap implements SparseMap {
  readonly size: number;
  readonly storedSize: number;
  more = false;
  readonly #limits: TarLimits;
  readonly #fragments: SparseFragment[] = [];

  constructor(size: number, storedSize: number, limits: TarLimits) {
    this.size = size;
    this.storedSize = storedSize;
    this.#limits = limits;
  }

  get fragments(): readonly SparseFragment[] | undefined {
    return this.more ? undefined : this.#fragments;
  }

  take(block: Uint8Array, at: number): void {
    this.read(block, at, EXTENSION_FRAGMENTS);
    this.more = block[at + EXTENSION_MORE] !== 0;
  }

  /** The first pair that begins with a NUL ends the block, as in GNU and BSD tar. */
  read(block: Uint8Array, at: number, count: number): void {
    for (let pair = at; pair < at + count * FRAGMENT_BYTES && block[pair] !== 0; pair += FRAGMENT_BYTES) {
      const offset = readNumeric(block, pair, NUMBER_BYTES);
      const length = readNumeric(block, pair + NUMBER_BYTES, NUMBER_BYTES);
      if (Number.isNaN(offset) || Number.isNaN(length)) throw badSparseMap('not a number');
      checkLimit(this.#limits, 'sparseFragments', this.#fragments.length + 1);
      this.#fragments.push({ offset, length });
    }
  }
}
