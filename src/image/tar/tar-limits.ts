import { TarDefect } from './tar-defect.ts';

/** Bounds of a tar from a stranger; each is checked before memory is taken for what it bounds. */
export interface TarLimits {
  /** Bytes of a path or a link target. */
  readonly pathBytes: number;
  /** Bytes between two slashes of a path. */
  readonly componentBytes: number;
  /** Bytes of one PAX record block, one GNU long name, or one sparse map in front of content. */
  readonly recordBytes: number;
  /** Extended attributes of one entry. */
  readonly xattrs: number;
  readonly xattrNameBytes: number;
  readonly xattrValueBytes: number;
  /** All attribute names of one entry, each with its closing NUL. */
  readonly xattrListBytes: number;
  /** Entries of one tar. */
  readonly entries: number;
  /** Fragments of one sparse file. */
  readonly sparseFragments: number;
  /** Logical bytes of one file. */
  readonly fileSize: number;
}

/**
 * What Linux can show and Go accepts. Path: PATH_MAX without its NUL; component: NAME_MAX; xattr figures:
 * XATTR_NAME_MAX, XATTR_SIZE_MAX, XATTR_LIST_MAX (linux/limits.h); records: `maxSpecialFileSize` of Go's archive/tar.
 */
export const DEFAULT_TAR_LIMITS: TarLimits = {
  pathBytes: 4095,
  componentBytes: 255,
  recordBytes: 1_048_576,
  xattrs: 1024,
  xattrNameBytes: 255,
  xattrValueBytes: 65_536,
  xattrListBytes: 65_536,
  entries: 5_000_000,
  sparseFragments: 262_144,
  fileSize: Number.MAX_SAFE_INTEGER,
};

/** @throws TarDefect `invalid/tar-limit` naming the limit when `value` is larger than it. */
export function checkLimit(limits: TarLimits, limit: keyof TarLimits, value: number): void {
  if (value <= limits[limit]) return;
  throw new TarDefect('invalid', 'tar-limit', `${LIMIT_NAMES[limit]}: ${value}, at most ${limits[limit]}`, {
    limit,
    value,
    max: limits[limit],
  });
}

const LIMIT_NAMES: Record<keyof TarLimits, string> = {
  pathBytes: 'path or link target is too long, bytes',
  componentBytes: 'a name in the path is too long, bytes',
  recordBytes: 'records in front of an entry are too big, bytes',
  xattrs: 'too many extended attributes',
  xattrNameBytes: 'the name of an extended attribute is too long, bytes',
  xattrValueBytes: 'the value of an extended attribute is too big, bytes',
  xattrListBytes: 'the names of the extended attributes are too long together, bytes',
  entries: 'too many entries',
  sparseFragments: 'too many fragments of a sparse file',
  fileSize: 'file is too big, bytes',
};
