import { HEADER_FIELDS, TAR_BLOCK } from './tar-header.ts';

/** A file or folder of an archive that shp writes itself: a docker-archive, an OCI layout as a tar. */
export interface WrittenHeader {
  /** ASCII, at most 100 bytes; a folder's ends in a slash. */
  readonly path: string;
  readonly type: 'file' | 'directory';
  /** Bytes of content, 0 for a folder. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
}

/** Two blocks of zeros behind the last entry. */
export const END_MARKER: Uint8Array = Buffer.alloc(2 * TAR_BLOCK);

/**
 * One ustar header block owned by root. Sizes of 8 GiB and more are base-256, as GNU and Go write and read them.
 * @throws RangeError when the path or a number does not fit: the caller chooses both
 */
export function writeTarHeader({ path, type, size, mode, mtime }: WrittenHeader): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  if (!/^[\x20-\x7e]{1,100}$/.test(path)) throw new RangeError(`not a path for a ustar header: ${path}`);
  writeText(block, 'name', path);
  writeNumber(block, 'mode', mode);
  writeNumber(block, 'uid', 0);
  writeNumber(block, 'gid', 0);
  writeNumber(block, 'size', size);
  writeNumber(block, 'mtime', mtime);
  writeText(block, 'typeflag', type === 'file' ? '0' : '5');
  writeText(block, 'magic', 'ustar\x0000');
  writeNumber(block, 'devMajor', 0);
  writeNumber(block, 'devMinor', 0);
  writeText(block, 'checksum', ' '.repeat(HEADER_FIELDS.checksum[1]));
  const sum = block.reduce((total, byte) => total + byte, 0);
  writeText(block, 'checksum', `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** Zeros between content of `size` bytes and the next header. */
export function writeTarPadding(size: number): Uint8Array {
  const tail = size % TAR_BLOCK;
  return END_MARKER.subarray(0, tail === 0 ? 0 : TAR_BLOCK - tail);
}

type FieldName = keyof typeof HEADER_FIELDS;

function writeText(block: Buffer, field: FieldName, text: string): void {
  block.write(text, HEADER_FIELDS[field][0], 'latin1');
}

function writeNumber(block: Buffer, field: FieldName, value: number): void {
  const [offset, length] = HEADER_FIELDS[field];
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${field}: ${value}`);
  const octal = value.toString(8);
  if (octal.length < length) {
    writeText(block, field, octal.padStart(length - 1, '0'));
    return;
  }
  if (length < 12) throw new RangeError(`${field}: ${value}`);
  block[offset] = 0x80;
  block.writeBigUInt64BE(BigInt(value), offset + length - 8);
}
