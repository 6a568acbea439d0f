import { type FieldValues, type Layout, readStruct } from './layout.ts';
import type { Answer, Operation } from './operations.ts';
import {
  DIRENT_OUT,
  ENTRY_OUT,
  GETATTR_OUT,
  INIT_OUT,
  LSEEK_OUT,
  OPEN_OUT,
  OUT_HEADER,
  STATFS_OUT,
  STATX_OUT,
} from './reply-layouts.ts';

/** The struct that each kind of answer is; absent where it is none. */
export const REPLY_BODIES: Readonly<Partial<Record<Answer, Layout>>> = {
  entry: ENTRY_OUT,
  attributes: GETATTR_OUT,
  statx: STATX_OUT,
  open: OPEN_OUT,
  statistics: STATFS_OUT,
  seek: LSEEK_OUT,
  init: INIT_OUT,
};

/** A whole reply as values: for dumps and tests. */
export interface ReplyParts {
  readonly unique: bigint;
  /** Positive; 0 for success. */
  readonly errno: number;
  /** Where the operation answers with a struct. */
  readonly body?: FieldValues;
  /** What follows the header. */
  readonly bytes: Uint8Array;
}

/** @throws RangeError where the frame is no well-formed reply to the operation: what the kernel would refuse, too */
export function decodeReply(row: Operation, frame: Uint8Array): ReplyParts {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const header = readStruct(OUT_HEADER, view);
  const errno = 0 - Number(header['error']);
  const bytes = frame.subarray(OUT_HEADER.size);
  const unique = BigInt(header['unique']!);
  if (header['length'] !== frame.length || errno < 0 || errno > 511)
    throw new RangeError(`${row.name}: a bad reply header`);
  if (errno !== 0 || row.answer === 'empty' || row.answer === 'nothing') {
    if (bytes.length !== 0) throw new RangeError(`${row.name}: a body where none belongs`);
    return { unique, errno, bytes };
  }
  const struct = REPLY_BODIES[row.answer];
  if (struct === undefined) return { unique, errno, bytes };
  if (struct.size !== bytes.length) throw new RangeError(`${row.name}: a body of ${bytes.length} bytes`);
  return { unique, errno, bytes, body: readStruct(struct, view, OUT_HEADER.size) };
}

export interface DirectoryEntry {
  readonly inode: number;
  readonly next: number;
  readonly type: number;
  readonly name: Uint8Array;
  /** Of READDIRPLUS: fuse_entry_out. */
  readonly entry?: FieldValues;
}

/** Entries of a READDIR or READDIRPLUS reply. @throws RangeError where the last is not whole */
export function decodeDirectory(bytes: Uint8Array, plus: boolean): DirectoryEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: DirectoryEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const entry = plus ? readStruct(ENTRY_OUT, view, at) : undefined;
    if (plus) at += ENTRY_OUT.size;
    const { inode, next, nameLength, type } = readStruct(DIRENT_OUT, view, at);
    const from = at + DIRENT_OUT.size;
    const end = from + Number(nameLength);
    at = (end + 7) & ~7;
    if (at > bytes.length) throw new RangeError('a directory entry that is cut short');
    entries.push({
      inode: Number(inode),
      next: Number(next),
      type: Number(type),
      name: bytes.slice(from, end),
      ...(entry === undefined ? {} : { entry }),
    });
  }
  return entries;
}
