import type { LayerIndex } from '../image/layer/layer-index.ts';
import type { MergedNode, MergedTree } from '../image/layer/merged-tree.ts';

/** How many names a file has in a merged tree (`st_nlink`). */
export interface LinkCounts {
  /** @param inode of a file, device, symlink or fifo */
  count(inode: number): number;
}

const ONE_EACH: LinkCounts = { count: () => 1 };

/**
 * Counts from the hard-link entries alone: all others have the one name by which they are found. 8 bytes of memory a
 * hard link that shows.
 */
export function countLinks(tree: MergedTree): LinkCounts {
  let links = 0;
  for (const index of tree.indexes) {
    for (let entry = 1; entry < index.entryCount; entry++) if (index.kind(entry) === 'hardlink') links++;
  }
  return links === 0 ? ONE_EACH : new SortedCounts(tree, links);
}

class SortedCounts implements LinkCounts {
  readonly #tree: MergedTree;
  /** Ascending; with the count at the same place. */
  readonly #inodes: Uint32Array;
  readonly #counts: Uint32Array;
  /** The directory that was looked at last, and of what: neighbours have the same. */
  #layer = -1;
  #parent = -1;
  #directory: MergedNode | undefined;

  constructor(tree: MergedTree, links: number) {
    this.#tree = tree;
    const named = this.#visibleLinks(links);
    let distinct = 0;
    for (let i = 0; i < named.length; i++) if (i === 0 || named[i] !== named[i - 1]) distinct++;
    this.#inodes = new Uint32Array(distinct);
    this.#counts = new Uint32Array(distinct);
    let last = -1;
    for (let i = 0; i < named.length; i++) {
      const inode = named[i] as number;
      if (i === 0 || inode !== named[i - 1]) {
        this.#inodes[++last] = inode;
        this.#counts[last] = this.#ownNameShows(inode) ? 1 : 0;
      }
      this.#counts[last] = (this.#counts[last] as number) + 1;
    }
  }

  /** The inode behind each hard link that shows, sorted. */
  #visibleLinks(links: number): Uint32Array {
    const inodes = new Uint32Array(links);
    let found = 0;
    for (const [layer, index] of this.#tree.indexes.entries()) {
      for (let entry = 1; entry < index.entryCount; entry++) {
        if (index.kind(entry) !== 'hardlink' || !this.#shows(layer, index, entry)) continue;
        const node = this.#tree.lookup(this.#directory as MergedNode, index.name(entry));
        if (node !== undefined) inodes[found++] = this.#tree.inode(node);
      }
    }
    return inodes.subarray(0, found).sort();
  }

  #ownNameShows(inode: number): boolean {
    const layer = this.#tree.layerOf(inode);
    return this.#shows(layer, this.#tree.indexes[layer] as LayerIndex, this.#tree.entryOf(inode, layer));
  }

  /** Whether an entry's path shows this entry; then its directory is at hand. */
  #shows(layer: number, index: LayerIndex, entry: number): boolean {
    const parent = index.parent(entry);
    if (layer !== this.#layer || parent !== this.#parent) {
      this.#layer = layer;
      this.#parent = parent;
      this.#directory = this.#tree.find(index.path(parent));
    }
    if (this.#directory?.kind !== 'directory') return false;
    for (const above of this.#directory.stack) {
      if (above.layer === layer) return above.entry === parent;
      if ((this.#tree.indexes[above.layer] as LayerIndex).lookup(above.entry, index.name(entry)) >= 0)
        return false;
    }
    return false;
  }

  count(inode: number): number {
    let low = 0;
    let high = this.#inodes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.#inodes[middle] as number;
      if (at === inode) return this.#counts[middle] as number;
      if (at < inode) low = middle + 1;
      else high = middle;
    }
    return 1;
  }
}
