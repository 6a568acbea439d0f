import type { MergedNode } from '../image/layer/merged-tree.ts';

/** What a name or a node shows, as numbers: one object is filled again and again, a look-up makes none. */
export interface ShownEntry {
  /** Never a hard link nor a whiteout. */
  layer: number;
  entry: number;
  kind: MergedNode['kind'];
  /** Whose mode, owner, times and xattrs count; layer -1 for a directory implied all the way. */
  attributeLayer: number;
  attributeEntry: number;
}

export function emptyShownEntry(): ShownEntry {
  return { layer: 0, entry: 0, kind: 'directory', attributeLayer: 0, attributeEntry: 0 };
}

export function showEntry(out: ShownEntry, layer: number, entry: number, kind: MergedNode['kind']): void {
  out.layer = layer;
  out.entry = entry;
  out.kind = kind;
  out.attributeLayer = layer;
  out.attributeEntry = entry;
}

export function showNode(out: ShownEntry, node: MergedNode): void {
  out.layer = node.layer;
  out.entry = node.entry;
  out.kind = node.kind;
  out.attributeLayer = node.attributes?.layer ?? -1;
  out.attributeEntry = node.attributes?.entry ?? 0;
}
