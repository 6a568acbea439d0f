/**
 * A tar by hand, byte for byte: for tests that need what no tool writes (hostile headers, duplicates, odd numbers).
 * Written after POSIX pax ("ustar Interchange Format") and GNU tar's manual, sharing nothing with the product's reader.
 */
const BLOCK = 512;

/** The fields of one header block as they are put there; absent ones get a sane default. */
export interface RawHeader {
  readonly name?: string | Uint8Array;
  readonly typeflag?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** What the header claims; not necessarily what follows. Numbers that do not fit become GNU base-256. */
  readonly size?: number;
  readonly mtime?: number;
  readonly linkname?: string | Uint8Array;
  readonly devMajor?: number;
  readonly devMinor?: number;
  readonly format?: 'ustar' | 'gnu' | 'v7';
  readonly prefix?: string | Uint8Array;
  /** Bytes laid over the finished block before its checksum is made, by offset. */
  readonly patch?: Readonly<Record<number, string | Uint8Array>>;
  /** Added to the right checksum. */
  readonly checksumError?: number;
}

function bytes(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

/** Octal with a closing NUL where it fits, else GNU base-256 (two's complement, high bit of the first byte set). */
function numeric(value: number, width: number): Buffer {
  const digits = value >= 0 ? value.toString(8) : '';
  if (value >= 0 && digits.length < width) return Buffer.from(`${digits.padStart(width - 1, '0')}\0`);
  const field = Buffer.alloc(width);
  let rest = BigInt.asUintN(width * 8, BigInt(value));
  for (let at = width - 1; at >= 0; at--) {
    field[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  field[0] = (field[0] as number) | 0x80;
  return field;
}

/** One header block of 512 bytes. */
export function rawHeader(header: RawHeader): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (value: string | Uint8Array, offset: number, width: number) =>
    block.set(bytes(value).subarray(0, width), offset);
  put(header.name ?? '', 0, 100);
  put(numeric(header.mode ?? 0o644, 8), 100, 8);
  put(numeric(header.uid ?? 0, 8), 108, 8);
  put(numeric(header.gid ?? 0, 8), 116, 8);
  put(numeric(header.size ?? 0, 12), 124, 12);
  put(numeric(header.mtime ?? 0, 12), 136, 12);
  put(header.typeflag ?? '0', 156, 1);
  put(header.linkname ?? '', 157, 100);
  const format = header.format ?? 'ustar';
  if (format === 'ustar') put('ustar\x0000', 257, 8);
  if (format === 'gnu') put('ustar  \0', 257, 8);
  if (format !== 'v7') {
    put(numeric(header.devMajor ?? 0, 8), 329, 8);
    put(numeric(header.devMinor ?? 0, 8), 337, 8);
    put(header.prefix ?? '', 345, 155);
  }
  for (const [offset, value] of Object.entries(header.patch ?? {})) block.set(bytes(value), Number(offset));
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0) + (header.checksumError ?? 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return block;
}

/** Content and the zeros up to the next block. */
export function padded(content: string | Uint8Array): Buffer {
  const plain = bytes(content);
  return Buffer.concat([plain, Buffer.alloc((BLOCK - (plain.length % BLOCK)) % BLOCK)]);
}

/** One PAX record, its length counted as the format wants it: the digits count themselves. */
export function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), bytes(value), Buffer.from('\n')]);
  let length = rest.length + String(rest.length).length;
  length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

export type PaxRecords = Readonly<Record<string, string | Uint8Array>>;

/** A PAX header entry for the next entry (`x`), or for all that follow (`g`). */
export function paxHeader(records: PaxRecords, typeflag: 'x' | 'g' = 'x'): Buffer {
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  // A global header's name has no folder: containerd would make it (git archive writes this name).
  const name = typeflag === 'g' ? 'pax_global_header' : 'PaxHeaders/0';
  return Buffer.concat([rawHeader({ name, typeflag, size: body.length }), padded(body)]);
}

/** GNU's long name (`L`) or long link (`K`) for the next entry. */
export function gnuLong(typeflag: 'L' | 'K', value: string | Uint8Array): Buffer {
  const body = Buffer.concat([bytes(value), Buffer.alloc(1)]);
  const header = rawHeader({ name: '././@LongLink', typeflag, size: body.length, mode: 0, format: 'gnu' });
  return Buffer.concat([header, padded(body)]);
}

/** Header and content in one; the size is the content's unless the header says another. */
export function rawEntry(header: RawHeader, content: string | Uint8Array = ''): Buffer {
  return Buffer.concat([rawHeader({ size: bytes(content).length, ...header }), padded(content)]);
}

/** The end marker: two blocks of zeros. */
export const END_OF_TAR = Buffer.alloc(2 * BLOCK);

/** The parts in order, and the end marker. */
export function rawTar(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, END_OF_TAR]);
}
