import { type SparseMap, toFragments } from './sparse-map.ts';
import { badSparseMap } from './tar-defect.ts';
import type { SparseFragment } from './tar-entry.ts';
import { TAR_BLOCK } from './tar-header.ts';
import { checkLimit, type TarLimits } from './tar-limits.ts';
import { parseDecimal } from './tar-number.ts';

/** Characters of a line that may come without its end; a number has twenty. Keeps the work linear. */
const MAX_LINE = TAR_BLOCK;

/**
 * Format 1.0: decimal numbers, one a line, in whole blocks in front of the content and counted as part of it: the
 * number of fragments, then offset and length of each. The map ends with the block that holds the last of them.
 */
export function openSparseLines(size: number, bodySize: number, limits: TarLimits): SparseMap {
  return new SparseLines(size, bodySize, limits);
}

class SparseLines implements SparseMap {
  readonly size: number;
  storedSize: number;
  fragments: readonly SparseFragment[] | undefined;
  readonly #limits: TarLimits;
  #lines: string[] = [];
  #rest = '';
  #bytes = 0;
  #count = -1;

  constructor(size: number, bodySize: number, limits: TarLimits) {
    this.size = size;
    this.storedSize = bodySize;
    this.#limits = limits;
    this.#needBlock();
  }

  take(block: Uint8Array, at: number): void {
    this.storedSize -= TAR_BLOCK;
    this.#bytes += TAR_BLOCK;
    checkLimit(this.#limits, 'recordBytes', this.#bytes);
    const text = Buffer.from(block.buffer, block.byteOffset + at, TAR_BLOCK).toString('latin1');
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#lines.push(line);
    if (this.#count < 0 && this.#lines.length > 0) this.#count = this.#parseCount();
    const needed = 1 + 2 * this.#count;
    if (this.#count < 0 || this.#lines.length < needed) {
      if (this.#rest.length > MAX_LINE) throw badSparseMap('a line without end');
      this.#needBlock();
      return;
    }
    this.fragments = toFragments(this.#lines.slice(1, needed));
    this.#lines = [];
  }

  #parseCount(): number {
    const count = parseDecimal(this.#lines[0] as string);
    if (!(count >= 0)) throw badSparseMap('no count of fragments');
    checkLimit(this.#limits, 'sparseFragments', count);
    return count;
  }

  #needBlock(): void {
    if (this.storedSize < TAR_BLOCK) throw badSparseMap('it is longer than what is stored');
  }
}
