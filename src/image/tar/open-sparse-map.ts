import { openOldSparseMap } from './old-sparse-map.ts';
import type { PaxRecords } from './pax-records.ts';
import { openSparseLines } from './sparse-lines.ts';
import { type SparseForm, type SparseMap, toFragments } from './sparse-map.ts';
import { badSparseMap } from './tar-defect.ts';
import type { SparseFragment } from './tar-entry.ts';
import { checkLimit, type TarLimits } from './tar-limits.ts';
import { parseDecimal } from './tar-number.ts';

/** The header block of a sparse file and what is known of it. */
export interface SparseSource {
  readonly block: Uint8Array;
  readonly at: number;
  readonly pax: PaxRecords | undefined;
  /** Bytes that follow the headers; in the form 1.0 the map is among them. */
  readonly bodySize: number;
}

/** @throws TarDefect `corrupt/tar-sparse-map`, `invalid/tar-limit` */
export function openSparseMap(
  form: Exclude<SparseForm, 'none'>,
  source: SparseSource,
  limits: TarLimits,
): SparseMap {
  const { bodySize, pax } = source;
  if (form === 'old-header') return openOldSparseMap(source.block, source.at, bodySize, limits);
  const named = pax?.text('GNU.sparse.size') ?? pax?.text('GNU.sparse.realsize');
  const size = named === undefined ? bodySize : parseDecimal(named);
  if (!(size >= 0)) throw badSparseMap('the size is not a number');
  checkLimit(limits, 'fileSize', size);
  if (form === 'in-content') return openSparseLines(size, bodySize, limits);
  const fragments = parseSparseRecord(pax?.text('GNU.sparse.numblocks'), pax?.text('GNU.sparse.map'), limits);
  return { size, storedSize: bodySize, fragments, take: () => {} };
}

/** `offset,length,offset,length...` in one record, and their count in another. */
function parseSparseRecord(
  count: string | undefined,
  map: string | undefined,
  limits: TarLimits,
): SparseFragment[] {
  const announced = parseDecimal(count ?? '');
  if (!(announced >= 0)) throw badSparseMap('no count of fragments');
  checkLimit(limits, 'sparseFragments', announced);
  const numbers = map === undefined ? [] : map.split(',');
  if (numbers.length !== 2 * announced) throw badSparseMap('count and map do not agree');
  return toFragments(numbers);
}
