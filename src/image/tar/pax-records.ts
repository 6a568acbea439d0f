import { TarDefect } from './tar-defect.ts';
import { parseDecimal } from './tar-number.ts';

/**
 * Records of one PAX header by keyword (bytes as latin1), the last of duplicates; an empty value stands as such. The
 * pairs of GNU sparse format 0.0 (`GNU.sparse.offset`, `GNU.sparse.numbytes`, many times) are joined into one
 * `GNU.sparse.map` as format 0.1 has it. Values are views.
 */
export type PaxRecords = ReadonlyMap<string, Uint8Array>;

/** `SCHILY.xattr.<name>`: the only form of extended attributes that Go's users apply. */
export const XATTR_PREFIX = 'SCHILY.xattr.';

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const COMMA = 0x2c;
/** The ustar text fields: here a NUL in the value is damage, elsewhere a value may hold any byte (Go's validPAXRecord). */
const TEXT_FIELDS: ReadonlySet<string> = new Set(['path', 'linkpath', 'uname', 'gname']);

/**
 * Splits `<length> <keyword>=<value>\n` records; the length counts itself and the newline, so a value may hold anything.
 * @throws TarDefect `corrupt/tar-pax-record`
 */
export function parsePaxRecords(bytes: Uint8Array): PaxRecords {
  const records = new Map<string, Uint8Array>();
  const sparseMap: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { keyword, value, next } = parseRecord(bytes, at);
    at = next;
    if (keyword === 'GNU.sparse.offset' || keyword === 'GNU.sparse.numbytes') {
      const expected = sparseMap.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
      if (keyword !== expected || value.includes(COMMA)) throw badRecord(`${keyword} out of order`);
      sparseMap.push(value);
    } else {
      records.set(keyword, value);
    }
  }
  if (sparseMap.length > 0) records.set('GNU.sparse.map', joinByCommas(sparseMap));
  return records;
}

interface ParsedRecord {
  readonly keyword: string;
  readonly value: Uint8Array;
  readonly next: number;
}

function parseRecord(bytes: Uint8Array, at: number): ParsedRecord {
  const space = bytes.indexOf(SPACE, at);
  if (space < 0) throw badRecord('no length');
  const next = at + parseDecimal(latin1(bytes, at, space));
  // Five bytes are the shortest length, space, keyword, equals sign and newline that Go takes.
  if (!(next >= at + 5 && next <= bytes.length) || space + 1 >= next - 1) throw badRecord('wrong length');
  if (bytes[next - 1] !== NEWLINE) throw badRecord('no newline at the end of a record');
  const equals = bytes.indexOf(EQUALS, space + 1);
  if (equals < 0 || equals >= next - 1) throw badRecord('no equals sign');
  const keyword = latin1(bytes, space + 1, equals);
  const value = bytes.subarray(equals + 1, next - 1);
  const damaged = TEXT_FIELDS.has(keyword) ? value.includes(0) : keyword.includes('\0');
  if (damaged) throw badRecord(`a NUL in ${JSON.stringify(keyword)}`);
  return { keyword, value, next };
}

/** A record's value as text, byte by byte; undefined where the record is missing or empty (Go keeps the header's). */
export function paxText(records: PaxRecords, keyword: string): string | undefined {
  const value = records.get(keyword);
  return value === undefined || value.length === 0 ? undefined : latin1(value, 0, value.length);
}

export function badRecord(reason: string): TarDefect {
  return new TarDefect('corrupt', 'tar-pax-record', `damaged PAX record: ${reason}`, { reason });
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}

function joinByCommas(values: readonly Uint8Array[]): Uint8Array {
  const parts = values.flatMap((value) => [value, Buffer.of(COMMA)]);
  return Buffer.concat(parts.slice(0, -1));
}
