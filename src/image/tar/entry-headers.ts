import { badRecord, type PaxRecords, XATTR_PREFIX } from './pax-records.ts';
import type { SparseForm } from './sparse-map.ts';
import { badHeader, TarDefect } from './tar-defect.ts';
import type { TarEntry, TarEntryType, TarXattr } from './tar-entry.ts';
import { readHeaderLink, type TarHeader } from './tar-header.ts';
import { checkLimit, type TarLimits } from './tar-limits.ts';
import { parseDecimal, parseDecimalLow32, parsePaxTime, type TarTime, tarTime } from './tar-number.ts';

/** Typeflags that stand for an entry. Any other is refused by both engines ("unhandled tar header type"). */
const ENTRY_TYPES: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'chardev',
  '4': 'blockdev',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
};

/** What stood in front of an entry and applies to it. */
export interface LeadingRecords {
  readonly pax?: PaxRecords | undefined;
  /** GNU `L` and `K`; they win over PAX, and empty ones count as absent. */
  readonly longPath?: Uint8Array | undefined;
  readonly longLink?: Uint8Array | undefined;
}

/** An entry whose header and records are merged; `size` and `storedSize` are settled once a sparse map is read. */
export interface MergedHeaders {
  readonly entry: TarEntry;
  /** Bytes that follow the headers, without padding: content, and the map of sparse format 1.0. */
  readonly bodySize: number;
  readonly sparse: SparseForm;
}

const NO_XATTRS: readonly TarXattr[] = [];
const NOTHING = Buffer.alloc(0);

/** The header block that an entry begins with. */
export interface EntryBlock {
  readonly header: TarHeader;
  /** As {@link readHeaderPath} answers it. */
  readonly path: Uint8Array;
  readonly block: Uint8Array;
  readonly at: number;
}

/** The path after records, before those of a sparse file. */
export function entryPath(own: Uint8Array, { pax, longPath }: LeadingRecords): Uint8Array {
  return nonEmpty(longPath) ?? nonEmpty(pax?.bytes('path')) ?? own;
}

/** Applies records to a header as Go's Reader.next does. */
export function mergeHeaders(source: EntryBlock, leading: LeadingRecords, limits: TarLimits): MergedHeaders {
  const { header } = source;
  const { pax } = leading;
  const path = entryPath(source.path, leading);
  const type = entryType(header.typeflag, path);
  // Go refuses the header's own size before a record can replace it.
  const ownSize = isHeaderOnly(header.typeflag) ? 0 : checkedSize(header.size, limits);
  const size = parsedOr(parseDecimal, pax, 'size', ownSize);
  const bodySize = type === 'file' ? checkedSize(size, limits) : 0;
  const sparse = sparseForm(header, pax);
  if (sparse !== 'none' && type !== 'file') throw badHeader('sparse, but not a file');
  const inRecords = sparse === 'record' || sparse === 'in-content';
  const shown = inRecords ? nonEmpty(pax?.bytes('GNU.sparse.name')) : undefined;
  const time = entryTime(header, pax);
  const isDevice = type === 'chardev' || type === 'blockdev';
  const entry: TarEntry = {
    type,
    path: checkedPath(shown ?? path, limits),
    linkPath: linkPath(type, source, leading, limits),
    mode: header.mode & 0o7777,
    uid: ownerId(parsedOr(parseDecimalLow32, pax, 'uid', header.uid)),
    gid: ownerId(parsedOr(parseDecimalLow32, pax, 'gid', header.gid)),
    size: bodySize,
    storedSize: bodySize,
    mtime: time.seconds,
    mtimeNanos: time.nanos,
    devMajor: isDevice ? header.devMajor : 0,
    devMinor: isDevice ? header.devMinor : 0,
    xattrs: pax === undefined ? NO_XATTRS : readXattrs(pax, limits),
  };
  return { entry, bodySize, sparse };
}

/** Bytes of a file, before anything is made of that length. */
export function checkedSize(size: number, limits: TarLimits): number {
  if (size < 0) throw badHeader('negative size');
  checkLimit(limits, 'fileSize', size);
  return size;
}

/** Types that have no body whatever their size says: links, devices, directories, fifos (Go's isHeaderOnlyType). */
function isHeaderOnly(typeflag: number): boolean {
  return typeflag >= 0x31 && typeflag <= 0x36;
}

function entryType(typeflag: number, path: Uint8Array): TarEntryType {
  // Archives before POSIX have NUL for files, and mark directories by a slash at the end.
  if (typeflag === 0) return path[path.length - 1] === 0x2f ? 'directory' : 'file';
  const flag = String.fromCharCode(typeflag);
  const type = ENTRY_TYPES[flag];
  if (type !== undefined) return type;
  throw new TarDefect('invalid', 'tar-entry-type', `unhandled tar header type ${JSON.stringify(flag)}`, {
    typeflag: flag,
  });
}

function sparseForm(header: TarHeader, pax: PaxRecords | undefined): SparseForm {
  if (header.typeflag === 0x53) {
    // star marks sparse files by the same letter and lays them out in another way.
    if (header.format !== 'gnu') throw badHeader('sparse, but not of the GNU format');
    return 'old-header';
  }
  if (pax === undefined) return 'none';
  const version = `${pax.text('GNU.sparse.major') ?? ''}.${pax.text('GNU.sparse.minor') ?? ''}`;
  if (version === '1.0') return 'in-content';
  if (version === '0.0' || version === '0.1') return 'record';
  // Writers of 0.0 and 0.1 do not name the version; an unknown one is a plain file.
  return version === '.' && pax.text('GNU.sparse.map') !== undefined ? 'record' : 'none';
}

function entryTime(header: TarHeader, pax: PaxRecords | undefined): TarTime {
  if (pax === undefined) return tarTime(header.mtime, 0);
  paxTime(pax, 'atime');
  paxTime(pax, 'ctime');
  return paxTime(pax, 'mtime') ?? tarTime(header.mtime, 0);
}

function paxTime(pax: PaxRecords, keyword: string): TarTime | undefined {
  const text = pax.text(keyword);
  if (text === undefined) return undefined;
  const time = parsePaxTime(text);
  if (time === undefined) throw badRecord(`${keyword} is not a time`);
  return time;
}

function parsedOr(
  parse: (text: string) => number,
  pax: PaxRecords | undefined,
  keyword: string,
  otherwise: number,
): number {
  const text = pax?.text(keyword);
  if (text === undefined) return otherwise;
  const value = parse(text);
  if (Number.isNaN(value)) throw badRecord(`${keyword} is not a number`);
  return value;
}

/** chown(2) leaves an id of -1 alone, and what an engine unpacks was made by root. */
function ownerId(low32: number): number {
  return low32 === 0xffff_ffff ? 0 : low32;
}

/** A symlink's target is only data, the path of a hard link's target must exist. */
function linkPath(
  type: TarEntryType,
  { block, at }: EntryBlock,
  { pax, longLink }: LeadingRecords,
  limits: TarLimits,
): Uint8Array {
  if (type !== 'hardlink' && type !== 'symlink') return NOTHING;
  const link = nonEmpty(longLink) ?? nonEmpty(pax?.bytes('linkpath')) ?? readHeaderLink(block, at);
  if (type === 'hardlink') return checkedPath(link, limits);
  checkLimit(limits, 'pathBytes', link.length);
  return link;
}

function nonEmpty(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : bytes;
}

function checkedPath(path: Uint8Array, limits: TarLimits): Uint8Array {
  checkLimit(limits, 'pathBytes', path.length);
  if (path.length <= limits.componentBytes) return path;
  for (let from = 0, at = 0; at <= path.length; at++) {
    if (at < path.length && path[at] !== 0x2f) continue;
    checkLimit(limits, 'componentBytes', at - from);
    from = at + 1;
  }
  return path;
}

/** An empty value is an attribute without bytes: containerd and moby set it, whatever PAX says of empty records. */
function readXattrs(pax: PaxRecords, limits: TarLimits): readonly TarXattr[] {
  let xattrs: TarXattr[] | undefined;
  let listBytes = 0;
  for (const keyword of pax.keywords) {
    if (!keyword.startsWith(XATTR_PREFIX)) continue;
    const value = pax.bytes(keyword) ?? NOTHING;
    const name = Buffer.from(keyword.slice(XATTR_PREFIX.length), 'latin1');
    if (name.length === 0) throw badRecord('an extended attribute without a name');
    listBytes += name.length + 1;
    checkLimit(limits, 'xattrNameBytes', name.length);
    checkLimit(limits, 'xattrValueBytes', value.length);
    checkLimit(limits, 'xattrListBytes', listBytes);
    checkLimit(limits, 'xattrs', (xattrs?.length ?? 0) + 1);
    xattrs ??= [];
    xattrs.push({ name, value });
  }
  return xattrs ?? NO_XATTRS;
}
