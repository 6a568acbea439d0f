import type { CID } from 'multiformats/cid';

/** Kinds of entries as the index stores them. `whiteout` hides a name of the layers below. */
export const ENTRY_KINDS = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'chardev',
  'blockdev',
  'fifo',
  'whiteout',
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** First child and the one behind the last, as entry numbers. */
export interface ChildRange {
  readonly first: number;
  readonly end: number;
}

export interface Xattr {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * One layer's entries in columns. Entry 0 is the root directory. Entries stand in breadth-first order, so the children
 * of a directory are neighbours, sorted by the bytes of their names. All getters are O(1), make no objects beyond the
 * one they answer, and take a valid entry or object number. Arrays answered are views into the index.
 */
export interface LayerIndex {
  readonly entryCount: number;
  /** Distinct objects, numbered in order of their first entry. */
  readonly objectCount: number;
  kind(entry: number): EntryKind;
  parent(entry: number): number;
  name(entry: number): Uint8Array;
  children(directory: number): ChildRange;
  /** Binary search by bytes; -1 where there is none. */
  lookup(directory: number, name: Uint8Array): number;
  mode(entry: number): number;
  uid(entry: number): number;
  gid(entry: number): number;
  /** Logical bytes of a file, the length of a symlink's target, else 0. */
  size(entry: number): number;
  mtime(entry: number): number;
  mtimeNanos(entry: number): number;
  devMajor(entry: number): number;
  devMinor(entry: number): number;
  /** Symlink: its target. Hard link: the cleaned path of its target from the root, no leading slash. */
  linkTarget(entry: number): Uint8Array;
  /** Hard link: the entry it stands for in this layer; -1 where the target lies in a layer below. */
  hardlinkEntry(entry: number): number;
  xattrs(entry: number): readonly Xattr[];
  /** A directory that no header of the tar described: the merged tree takes the lower's attributes, else 0755 0:0. */
  implied(entry: number): boolean;
  /** A directory that hides everything below it in lower layers. */
  opaque(entry: number): boolean;
  /** Object number of a file; -1 for other kinds. */
  object(entry: number): number;
  objectSize(object: number): number;
  /** sha2-256 of the object's UnixFS root; raw where the size is at most 262,144, else dag-pb. */
  objectDigest(object: number): Uint8Array;
  objectCid(object: number): CID;
  /** 32 bytes a leaf; `undefined` where the object is one block. */
  objectLeaves(object: number): Uint8Array | undefined;
  /** Full path from the root without a leading slash; the root's is empty. */
  path(entry: number): Uint8Array;
}
