import { Fault } from '../../base/fault.ts';
import type { EntryKind, LayerIndex } from './layer-index.ts';

/** One entry of one layer. Layer 0 is the bottom. */
export interface LayerEntryRef {
  readonly layer: number;
  readonly entry: number;
}

/** What a path shows when the layers lie on each other. A hard link is the node of the entry it stands for. */
export interface MergedNode extends LayerEntryRef {
  /** Never `hardlink` or `whiteout`. */
  readonly kind: Exclude<EntryKind, 'hardlink' | 'whiteout'>;
  /** Directory: every layer's directory that shows through, topmost first; the first is the node itself. */
  readonly stack: readonly LayerEntryRef[];
  /** Whose mode, owner, mtime and xattrs count; `undefined` for a directory that is implied all the way: 0755 0:0, time 0. */
  readonly attributes: LayerEntryRef | undefined;
}

export interface MergedChild {
  readonly name: Uint8Array;
  readonly node: MergedNode;
}

/** Layers on each other by the OCI layer rules, computed directory by directory when asked. */
export interface MergedTree {
  readonly indexes: readonly LayerIndex[];
  readonly root: MergedNode;
  /** Sorted by the bytes of the names. */
  readDirectory(directory: MergedNode): MergedChild[];
  lookup(directory: MergedNode, name: Uint8Array): MergedNode | undefined;
  /** By a clean path without a leading slash; symlinks are not followed. */
  find(path: Uint8Array): MergedNode | undefined;
  /** 1 for the root; a function of (layer, entry) and the layers below, so equal for hard links and stable when layers are added on top. */
  inode(node: LayerEntryRef): number;
}

/** @param indexes bottom first */
export function mergeLayers(_indexes: readonly LayerIndex[]): MergedTree {
  throw new Fault('internal', 'unfinished', 'mergeLayers');
}
