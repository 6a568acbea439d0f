import { badHeader } from './tar-defect.ts';
import { readLow32, readNumeric, readOctal } from './tar-number.ts';

/** Everything in a tar stands in blocks of this many bytes. */
export const TAR_BLOCK = 512;

/**
 * Offset and length of the fields of a header block. The first ten are the V7 format, the rest is ustar's; GNU and
 * star put their own fields where ustar has the prefix (Go's archive/tar format.go, tar(5)).
 */
export const HEADER_FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  typeflag: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  userName: [265, 32],
  groupName: [297, 32],
  devMajor: [329, 8],
  devMinor: [337, 8],
  prefix: [345, 155],
  gnuAtime: [345, 12],
  gnuCtime: [357, 12],
  gnuSparse: [386, 96],
  gnuSparseExtended: [482, 1],
  gnuRealSize: [483, 12],
  starPrefix: [345, 131],
  starAtime: [476, 12],
  starCtime: [488, 12],
  starTrailer: [508, 4],
} as const;

type Field = readonly [offset: number, length: number];

export type TarFormat = 'v7' | 'ustar' | 'star' | 'gnu';

/** One header block as it stands, before records that came in front of it are applied. */
export interface TarHeader {
  readonly format: TarFormat;
  /** Typeflag byte, e.g. 0x30 for `0`. */
  readonly typeflag: number;
  /** Low 32 bits of the field. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; may be negative, and beyond 2^53 is the nearest double. */
  readonly size: number;
  readonly mtime: number;
  readonly devMajor: number;
  readonly devMinor: number;
}

export type BlockKind = 'zeros' | 'header' | 'damaged';

/** Zeros, or a block whose checksum is right: the sum of its bytes, unsigned as POSIX says or signed as Sun wrote. */
export function blockKind(block: Uint8Array, at: number): BlockKind {
  const checksumFrom = at + HEADER_FIELDS.checksum[0];
  const checksumTo = checksumFrom + HEADER_FIELDS.checksum[1];
  let sum = 0;
  let high = 0;
  for (let i = at; i < checksumFrom; i++) {
    const byte = block[i] as number;
    sum += byte;
    high += byte >> 7;
  }
  for (let i = checksumTo; i < at + TAR_BLOCK; i++) {
    const byte = block[i] as number;
    sum += byte;
    high += byte >> 7;
  }
  const spaces = HEADER_FIELDS.checksum[1] * 0x20;
  const given = readOctal(block, checksumFrom, HEADER_FIELDS.checksum[1]);
  if (given === sum + spaces || given === sum + spaces - 256 * high) return 'header';
  if (sum !== 0) return 'damaged';
  for (let i = checksumFrom; i < checksumTo; i++) if (block[i] !== 0) return 'damaged';
  return 'zeros';
}

/** Whether a stream that begins with these bytes can be a tar: a header with the right checksum, or the end marker. */
export function looksLikeTar(first512: Uint8Array): boolean {
  return first512.length >= TAR_BLOCK && blockKind(first512, 0) !== 'damaged';
}

/** @throws TarDefect `corrupt/tar-header` for a number that is neither octal nor base-256, or beyond an int64. */
export function readTarHeader(block: Uint8Array, at: number): TarHeader {
  const format = readFormat(block, at);
  const typeflag = block[at + HEADER_FIELDS.typeflag[0]] as number;
  const devices = format !== 'v7';
  if (format === 'star') {
    number(readNumeric, block, at, 'starAtime');
    number(readNumeric, block, at, 'starCtime');
  }
  return {
    format,
    typeflag,
    mode: number(readLow32, block, at, 'mode'),
    uid: number(readLow32, block, at, 'uid'),
    gid: number(readLow32, block, at, 'gid'),
    size: number(readNumeric, block, at, 'size'),
    mtime: number(readNumeric, block, at, 'mtime'),
    devMajor: devices ? number(readLow32, block, at, 'devMajor') : 0,
    devMinor: devices ? number(readLow32, block, at, 'devMinor') : 0,
  };
}

/** The path in a header, prefix and name joined; a copy. */
export function readHeaderPath(block: Uint8Array, at: number, format: TarFormat): Uint8Array {
  const name = readText(block, at, HEADER_FIELDS.name);
  const prefix = format === 'v7' ? NOTHING : readPrefix(block, at, format);
  return prefix.length === 0 ? name : Buffer.concat([prefix, SLASH, name]);
}

/** The link target in a header; a copy. */
export function readHeaderLink(block: Uint8Array, at: number): Uint8Array {
  return readText(block, at, HEADER_FIELDS.linkName);
}

const SLASH = Buffer.from('/');
const NOTHING = Buffer.alloc(0);

function readFormat(block: Uint8Array, at: number): TarFormat {
  const magic = at + HEADER_FIELDS.magic[0];
  // "ustar": then NUL for POSIX (whatever the version), "  " and NUL for GNU.
  if (block[magic] !== 0x75 || block[magic + 1] !== 0x73 || block[magic + 2] !== 0x74) return 'v7';
  if (block[magic + 3] !== 0x61 || block[magic + 4] !== 0x72) return 'v7';
  if (block[magic + 5] === 0) {
    const trailer = at + HEADER_FIELDS.starTrailer[0];
    const star =
      block[trailer] === 0x74 &&
      block[trailer + 1] === 0x61 &&
      block[trailer + 2] === 0x72 &&
      block[trailer + 3] === 0;
    return star ? 'star' : 'ustar';
  }
  return block[magic + 5] === 0x20 && block[magic + 6] === 0x20 && block[magic + 7] === 0 ? 'gnu' : 'v7';
}

function readPrefix(block: Uint8Array, at: number, format: TarFormat): Uint8Array {
  if (format === 'ustar') return readText(block, at, HEADER_FIELDS.prefix);
  if (format === 'star') return readText(block, at, HEADER_FIELDS.starPrefix);
  if (gnuTimesReadable(block, at)) return NOTHING;
  // Writers of Go before 1.8 put a ustar prefix into GNU headers (golang.org/issues/12594, 21005).
  const text = readText(block, at, HEADER_FIELDS.prefix);
  return text.every((byte) => byte < 0x80) ? text : NOTHING;
}

function gnuTimesReadable(block: Uint8Array, at: number): boolean {
  for (const [offset, length] of [HEADER_FIELDS.gnuAtime, HEADER_FIELDS.gnuCtime]) {
    if (block[at + offset] !== 0 && Number.isNaN(readNumeric(block, at + offset, length))) return false;
  }
  return true;
}

/** A copy of the bytes up to the first NUL. */
function readText(block: Uint8Array, at: number, [offset, length]: Field): Uint8Array {
  const from = at + offset;
  let to = from;
  while (to < from + length && block[to] !== 0) to++;
  if (to === from) return NOTHING;
  const text = Buffer.allocUnsafe(to - from);
  for (let i = from; i < to; i++) text[i - from] = block[i] as number;
  return text;
}

type NumberReader = (block: Uint8Array, offset: number, length: number) => number;

function number(read: NumberReader, block: Uint8Array, at: number, name: keyof typeof HEADER_FIELDS): number {
  const [offset, length] = HEADER_FIELDS[name];
  const value = read(block, at + offset, length);
  if (Number.isNaN(value)) throw badHeader(`${name} is not a number`);
  return value;
}
