import { TarDefect } from './tar-defect.ts';
import { parseDecimal } from './tar-number.ts';

/** `SCHILY.xattr.<name>`: the only form of extended attributes that Go's users apply. */
export const XATTR_PREFIX = 'SCHILY.xattr.';

/**
 * Records of one PAX header by keyword (bytes as latin1), the last of duplicates; an empty value stands as such. The
 * pairs of GNU sparse format 0.0 (`GNU.sparse.offset`, `GNU.sparse.numbytes`, many times) are joined into one
 * `GNU.sparse.map` as format 0.1 has it.
 */
export interface PaxRecords {
  readonly keywords: Iterable<string>;
  /** A view, perhaps empty; `undefined` where there is no such record. */
  bytes(keyword: string): Uint8Array | undefined;
  /** Byte by byte; `undefined` where the record is missing or empty (Go then keeps the header's field). */
  text(keyword: string): string | undefined;
}

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
/** Digits of a length that are looked at: a record block has seven at most, and writers may pad with zeros. */
const MAX_LENGTH_DIGITS = 32;
/** The ustar text fields: here a NUL in the value is damage, elsewhere a value may hold any byte (Go's validPAXRecord). */
const TEXT_FIELDS: ReadonlySet<string> = new Set(['path', 'linkpath', 'uname', 'gname']);

/**
 * Splits `<length> <keyword>=<value>\n` records; the length counts itself and the newline, so a value may hold anything.
 * @param bytes kept: the records are views into it
 * @throws TarDefect `corrupt/tar-pax-record`
 */
export function parsePaxRecords(bytes: Buffer): PaxRecords {
  const spans = new Map<string, Span>();
  const sparseMap: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { keyword, span } = parseRecord(bytes, at);
    at = span.to + 1;
    if (keyword === 'GNU.sparse.offset' || keyword === 'GNU.sparse.numbytes') {
      const expected = sparseMap.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
      const value = bytes.toString('latin1', span.from, span.to);
      if (keyword !== expected || value.includes(',')) throw badRecord(`${keyword} out of order`);
      sparseMap.push(value);
    } else {
      spans.set(keyword, span);
    }
  }
  return new ParsedRecords(bytes, spans, sparseMap.length === 0 ? undefined : sparseMap.join(','));
}

export function badRecord(reason: string): TarDefect {
  return new TarDefect('corrupt', 'tar-pax-record', `damaged PAX record: ${reason}`, { reason });
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function parseRecord(bytes: Buffer, at: number): { readonly keyword: string; readonly span: Span } {
  const lengthEnd = Math.min(bytes.length, at + MAX_LENGTH_DIGITS);
  let space = at;
  while (space < lengthEnd && bytes[space] !== SPACE) space++;
  if (space === lengthEnd) throw badRecord('no length');
  const next = at + parseDecimal(bytes.toString('latin1', at, space));
  // Five bytes are the shortest length, space, keyword, equals sign and newline that Go takes.
  if (!(next >= at + 5 && next <= bytes.length) || space + 1 >= next - 1) throw badRecord('wrong length');
  if (bytes[next - 1] !== NEWLINE) throw badRecord('no newline at the end of a record');
  let equals = space + 1;
  while (equals < next - 1 && bytes[equals] !== EQUALS) equals++;
  if (equals === next - 1) throw badRecord('no equals sign');
  if (equals === space + 1) throw badRecord('no keyword');
  const keyword = bytes.toString('latin1', space + 1, equals);
  const span = { from: equals + 1, to: next - 1 };
  const damaged = TEXT_FIELDS.has(keyword) ? hasNul(bytes, span) : keyword.includes('\0');
  if (damaged) throw badRecord(`a NUL in ${JSON.stringify(keyword)}`);
  return { keyword, span };
}

function hasNul(bytes: Buffer, { from, to }: Span): boolean {
  return bytes.subarray(from, to).includes(0);
}

/** Views are made when they are asked for: most records of most tars are times that nobody wants as bytes. */
class ParsedRecords implements PaxRecords {
  readonly #bytes: Buffer;
  readonly #spans: ReadonlyMap<string, Span>;
  readonly #sparseMap: string | undefined;

  constructor(bytes: Buffer, spans: ReadonlyMap<string, Span>, sparseMap: string | undefined) {
    this.#bytes = bytes;
    this.#spans = spans;
    this.#sparseMap = sparseMap;
  }

  get keywords(): Iterable<string> {
    return this.#spans.keys();
  }

  bytes(keyword: string): Uint8Array | undefined {
    const span = this.#spans.get(keyword);
    return span === undefined ? undefined : this.#bytes.subarray(span.from, span.to);
  }

  text(keyword: string): string | undefined {
    if (keyword === 'GNU.sparse.map' && this.#sparseMap !== undefined) return this.#sparseMap || undefined;
    const span = this.#spans.get(keyword);
    if (span === undefined || span.from === span.to) return undefined;
    return this.#bytes.toString('latin1', span.from, span.to);
  }
}
