import type { EntryKind, Xattr } from './layer-index.ts';

/** What is on disk behind one or more names. Kind `hardlink` is an inode of a lower layer. */
export interface DraftInode {
  readonly kind: Exclude<EntryKind, 'whiteout'>;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  mtimeNanos: number;
  /** Sorted, names distinct. */
  xattrs: readonly Xattr[];
  /** A directory that no header described so far. */
  implied: boolean;
  /**
   * File: number of its object. Symlink: its target; hard link: the path in the lower layers, one character a byte.
   * Device: major and minor. One field for all: a layer has 200,000 of these.
   */
  readonly content: number | string | readonly [major: number, minor: number] | undefined;
  /** Number of the first entry with this inode, while the rows are made. */
  entry: number;
}

/** A name in a directory. Without an inode it is a whiteout alone. */
export interface DraftNode {
  /** One character a byte. */
  readonly name: string;
  readonly parent: DraftNode | undefined;
  /** Bytes of the path from the root. */
  readonly pathLength: number;
  inode: DraftInode | undefined;
  children: Map<string, DraftNode> | undefined;
  /** A whiteout of this name was in the tar: it hides the lower layers', whatever else has the name. */
  whited: boolean;
  /** `.wh..wh..opq` was in the directory. */
  opaque: boolean;
}

const NO_XATTRS: readonly Xattr[] = [];

export function impliedDirectory(): DraftInode {
  return {
    kind: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: 0,
    mtimeNanos: 0,
    xattrs: NO_XATTRS,
    implied: true,
    content: undefined,
    entry: -1,
  };
}
