import type { LayerIndex } from '../image/layer/layer-index.ts';
import type { MergedNode, MergedTree } from '../image/layer/merged-tree.ts';

/** The names of a merged directory in byte order: for each the entry that has it, 8 bytes. */
export interface DirectoryListing {
  readonly directory: MergedNode;
  readonly length: number;
  layer(position: number): number;
  /** Never a whiteout; a hard link that leads somewhere. */
  entry(position: number): number;
}

export function listDirectory(tree: MergedTree, directory: MergedNode): DirectoryListing {
  let most = 0;
  for (const { layer, entry } of directory.stack) {
    const { first, end } = (tree.indexes[layer] as LayerIndex).children(entry);
    most += end - first;
  }
  const pairs = new Uint32Array(most * 2);
  const length =
    directory.stack.length === 1 ? fillFromOne(tree, directory, pairs) : fillMerged(tree, directory, pairs);
  // A directory of which most names are whiteouts or doubles is copied to what it needs.
  const kept = length * 4 < pairs.length ? pairs.slice(0, length * 2) : pairs;
  return {
    directory,
    length,
    layer: (position) => kept[position * 2] as number,
    entry: (position) => kept[position * 2 + 1] as number,
  };
}

function leadsSomewhere(tree: MergedTree, directory: MergedNode, index: LayerIndex, entry: number): boolean {
  const kind = index.kind(entry);
  if (kind === 'whiteout') return false;
  return kind !== 'hardlink' || tree.lookup(directory, index.name(entry)) !== undefined;
}

function fillFromOne(tree: MergedTree, directory: MergedNode, pairs: Uint32Array): number {
  const { layer, entry: own } = directory.stack[0] as { layer: number; entry: number };
  const index = tree.indexes[layer] as LayerIndex;
  const { first, end } = index.children(own);
  let length = 0;
  for (let entry = first; entry < end; entry++) {
    if (!leadsSomewhere(tree, directory, index, entry)) continue;
    pairs[length * 2] = layer;
    pairs[length * 2 + 1] = entry;
    length++;
  }
  return length;
}

interface Cursor {
  readonly layer: number;
  readonly index: LayerIndex;
  readonly end: number;
  entry: number;
  /** Of `entry`; a view costs more than a comparison. */
  name: Uint8Array;
}

function fillMerged(tree: MergedTree, directory: MergedNode, pairs: Uint32Array): number {
  const cursors: Cursor[] = [];
  for (const { layer, entry } of directory.stack) {
    const index = tree.indexes[layer] as LayerIndex;
    const { first, end } = index.children(entry);
    if (first < end) cursors.push({ layer, index, end, entry: first, name: index.name(first) });
  }
  let length = 0;
  while (cursors.length > 0) {
    // The stack is topmost first: of equal names the first cursor's shows.
    let top = cursors[0] as Cursor;
    for (let i = 1; i < cursors.length; i++) {
      const cursor = cursors[i] as Cursor;
      if (Buffer.compare(cursor.name, top.name) < 0) top = cursor;
    }
    const { layer, index, entry, name } = top;
    if (leadsSomewhere(tree, directory, index, entry)) {
      pairs[length * 2] = layer;
      pairs[length * 2 + 1] = entry;
      length++;
    }
    for (let i = cursors.length - 1; i >= 0; i--) {
      const cursor = cursors[i] as Cursor;
      if (cursor !== top && Buffer.compare(cursor.name, name) !== 0) continue;
      if (++cursor.entry === cursor.end) cursors.splice(i, 1);
      else cursor.name = cursor.index.name(cursor.entry);
    }
  }
  return length;
}
