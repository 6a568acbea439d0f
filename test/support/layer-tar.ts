import { END_OF_TAR, type PaxRecords, padded, paxHeader, rawHeader } from './raw-tar.ts';

export type LayerEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'chardev' | 'blockdev' | 'fifo';

/** One entry of a layer, as a test thinks of it. */
export interface LayerEntry {
  /** Any bytes, any length: what does not fit a ustar header goes into a PAX record. */
  readonly path: string | Uint8Array;
  readonly type: LayerEntryType;
  readonly content?: string | Uint8Array;
  /** Symlink or hard link. */
  readonly target?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970; a fraction becomes a PAX record. Default {@link DEFAULT_MTIME}. */
  readonly mtime?: number;
  readonly devMajor?: number;
  readonly devMinor?: number;
  /** By full name, e.g. `user.note` or `security.capability`. */
  readonly xattrs?: Readonly<Record<string, string | Uint8Array>>;
}

type Rest = Omit<LayerEntry, 'path' | 'type'>;

/** 2020-01-01: so that trees made from one specification are equal. */
export const DEFAULT_MTIME = 1_577_836_800;

export const file = (
  path: string | Uint8Array,
  content: string | Uint8Array = '',
  rest: Rest = {},
): LayerEntry => ({
  ...rest,
  path,
  type: 'file',
  content,
});
export const directory = (path: string | Uint8Array, rest: Rest = {}): LayerEntry => ({
  ...rest,
  path,
  type: 'directory',
});
export const symlink = (
  path: string | Uint8Array,
  target: string | Uint8Array,
  rest: Rest = {},
): LayerEntry => ({
  ...rest,
  path,
  type: 'symlink',
  target,
});
export const hardlink = (
  path: string | Uint8Array,
  target: string | Uint8Array,
  rest: Rest = {},
): LayerEntry => ({
  ...rest,
  path,
  type: 'hardlink',
  target,
});
/** Tar form: hides `path` of the layers below. */
export const whiteout = (path: string): LayerEntry => file(path.replace(/([^/]+)$/, '.wh.$1'));
/** Tar form: hides everything in `path` of the layers below. */
export const opaque = (path: string): LayerEntry => file(`${path}/.wh..wh..opq`);

const TYPEFLAGS: Record<LayerEntryType, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  chardev: '3',
  blockdev: '4',
  directory: '5',
  fifo: '6',
};

function toBytes(value: string | Uint8Array): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value);
}

/** Parts of one entry: PAX header where needed, header, content. */
function encode(entry: LayerEntry): Buffer[] {
  const pax: Record<string, string | Uint8Array> = {};
  const name = toBytes(entry.path);
  const path =
    entry.type === 'directory' && name.at(-1) !== 0x2f ? Buffer.concat([name, Buffer.from('/')]) : name;
  const target = toBytes(entry.target ?? '');
  const content = entry.type === 'file' ? toBytes(entry.content ?? '') : Buffer.alloc(0);
  const mtime = entry.mtime ?? DEFAULT_MTIME;
  if (path.length > 100) pax['path'] = path;
  if (target.length > 100) pax['linkpath'] = target;
  if (!Number.isInteger(mtime)) pax['mtime'] = String(mtime);
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) pax[`SCHILY.xattr.${key}`] = value;
  const header = rawHeader({
    name: path,
    linkname: target,
    typeflag: TYPEFLAGS[entry.type],
    mode: entry.mode ?? (entry.type === 'directory' ? 0o755 : entry.type === 'symlink' ? 0o777 : 0o644),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    size: content.length,
    mtime: Math.floor(mtime),
    devMajor: entry.devMajor ?? 0,
    devMinor: entry.devMinor ?? 0,
  });
  const records: PaxRecords = pax;
  return [...(Object.keys(records).length > 0 ? [paxHeader(records)] : []), header, padded(content)];
}

/** The uncompressed tar of a layer. The same entries give the same bytes. */
export function layerTar(entries: readonly LayerEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(encode), END_OF_TAR]);
}
