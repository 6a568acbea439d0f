/**
 * One entry of a tar as Go's archive/tar (and so docker and containerd) understands it, after PAX and GNU
 * records are applied. Paths are bytes: a tar may hold any.
 */
export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'chardev' | 'blockdev' | 'directory' | 'fifo';

export interface TarXattr {
  /** Without the `SCHILY.xattr.` prefix, e.g. `security.capability`. */
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** A run of stored bytes of a sparse file; everything between fragments is zeros. */
export interface SparseFragment {
  readonly offset: number;
  readonly length: number;
}

export interface TarEntry {
  readonly type: TarEntryType;
  /** As it stands in the tar, not cleaned. */
  readonly path: Uint8Array;
  /** Symlink or hard link target as it stands in the tar; empty otherwise. */
  readonly linkPath: Uint8Array;
  /** Permission bits with suid, sgid, sticky: 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Logical size of a file in bytes (a sparse file's with its holes); 0 for every other type. */
  readonly size: number;
  /** Bytes of content stored in the tar (the sum of the fragments of a sparse file). */
  readonly storedSize: number;
  /** Seconds since 1970, may be negative. */
  readonly mtime: number;
  /** 0..999,999,999. */
  readonly mtimeNanos: number;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly xattrs: readonly TarXattr[];
  /** Ascending, not overlapping; `undefined` for a file that is stored whole. */
  readonly sparse?: readonly SparseFragment[];
}

/**
 * Receives a tar in the order of its bytes. `literal` and `content` together are every byte of the stream,
 * each exactly once and in order; arrays are views into the pushed chunk, valid only during the call.
 */
export interface TarSink {
  /** Bytes that are not content: headers, PAX and GNU records, sparse maps, padding, end marker, what follows it. */
  literal(bytes: Uint8Array): void;
  /**
   * All headers of an entry were read; `storedSize` bytes of `content` follow, then `entryEnd`. The entry and its arrays
   * are the receiver's.
   */
  entry(entry: TarEntry): void;
  content(bytes: Uint8Array): void;
  entryEnd(): void;
}
