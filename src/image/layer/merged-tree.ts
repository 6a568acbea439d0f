import { type FollowPath, followPath } from './follow-path.ts';
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
  /** Directory: every layer's directory whose children show, topmost first; the first is the node itself. */
  readonly stack: readonly LayerEntryRef[];
  /** Whose mode, owner, mtime and xattrs count; `undefined` for a directory implied all the way: 0755 0:0, time 0. */
  readonly attributes: LayerEntryRef | undefined;
}

export interface MergedChild {
  readonly name: Uint8Array;
  readonly node: MergedNode;
}

/** Layers on each other by the OCI layer rules, computed directory by directory when asked. */
export interface MergedTree {
  /** Bottom first. */
  readonly indexes: readonly LayerIndex[];
  readonly root: MergedNode;
  /** Sorted by the bytes of the names. */
  readDirectory(directory: MergedNode): MergedChild[];
  lookup(directory: MergedNode, name: Uint8Array): MergedNode | undefined;
  /** By a clean path without a leading slash; symlinks are not followed. */
  find(path: Uint8Array): MergedNode | undefined;
  /** 1 for the root, else a function of (layer, entry) and the layers below: equal for hard links. */
  inode(node: LayerEntryRef): number;
  /** The layer of an inode, for {@link entryOf}; -1 where no entry has it. Both are arithmetic: nothing is remembered. */
  layerOf(inode: number): number;
  /** The entry of an inode in the layer that {@link layerOf} tells. It need not show: upper layers may hide it. */
  entryOf(inode: number, layer: number): number;
}

class IndexedTree implements MergedTree {
  readonly indexes: readonly LayerIndex[];
  readonly root: MergedNode;
  /** By layer: inodes of the layers below it. */
  readonly #firstInode: number[] = [];
  readonly #inodes: number;
  /** Every layer's root, topmost first: one object a layer, in however many stacks it is. */
  readonly #roots: readonly LayerEntryRef[];
  /** By layer: the root of the tree of the layers below it. */
  readonly #rootsBelow: MergedNode[] = [];
  /** Hard links to lower layers, each resolved once: without this a chain of them would cost its length to the power of the layers. */
  readonly #lowerLinks = new Map<string, MergedNode | undefined>();

  constructor(indexes: readonly LayerIndex[]) {
    this.indexes = indexes;
    let inodes = 0;
    for (const index of indexes) {
      this.#firstInode.push(inodes);
      inodes += index.entryCount - 1;
    }
    this.#inodes = inodes;
    this.#roots = indexes.map((_, at) => ({ layer: indexes.length - 1 - at, entry: 0 }));
    this.root = this.#rootBelow(indexes.length);
  }

  #rootBelow(layer: number): MergedNode {
    let root = this.#rootsBelow[layer];
    if (root === undefined) {
      root = this.#merge(this.#roots.slice(this.#roots.length - layer)) as MergedNode;
      this.#rootsBelow[layer] = root;
    }
    return root;
  }

  /** @param entries all layers' entries of one path, topmost first, as far as their directories show */
  #merge(entries: readonly LayerEntryRef[]): MergedNode | undefined {
    const top = entries[0] as LayerEntryRef;
    const kind = (this.indexes[top.layer] as LayerIndex).kind(top.entry);
    if (kind === 'whiteout') return undefined;
    if (kind === 'hardlink') return this.#linked(top);
    if (kind !== 'directory') return { ...top, kind, stack: [top], attributes: top };
    const stack: LayerEntryRef[] = [];
    let attributes: LayerEntryRef | undefined;
    let hidden = false;
    for (const ref of entries) {
      const index = this.indexes[ref.layer] as LayerIndex;
      if (index.kind(ref.entry) !== 'directory') break;
      if (!hidden) stack.push(ref);
      if (!index.implied(ref.entry)) attributes ??= ref;
      // An opaque directory that is only implied still takes the attributes of the one it hides the content of.
      hidden ||= index.opaque(ref.entry);
      if (hidden && attributes !== undefined) break;
    }
    return { ...top, kind, stack, attributes };
  }

  #linked(link: LayerEntryRef): MergedNode | undefined {
    const index = this.indexes[link.layer] as LayerIndex;
    const owner = index.hardlinkEntry(link.entry);
    if (owner >= 0) return this.#merge([{ layer: link.layer, entry: owner }]);
    const key = `${link.layer}:${link.entry}`;
    if (this.#lowerLinks.has(key)) return this.#lowerLinks.get(key);
    const below: FollowPath<MergedNode> = {
      root: link.layer === 0 ? undefined : this.#rootBelow(link.layer),
      lookup: (directory, name) => this.lookup(directory, name),
      isDirectory: (node) => node.kind === 'directory',
      symlinkTarget: (node) =>
        node.kind === 'symlink' ? (this.indexes[node.layer] as LayerIndex).linkTarget(node.entry) : undefined,
    };
    const found = followPath(below, index.linkTarget(link.entry));
    const node = found?.kind === 'directory' ? undefined : found;
    this.#lowerLinks.set(key, node);
    return node;
  }

  lookup(directory: MergedNode, name: Uint8Array): MergedNode | undefined {
    const entries: LayerEntryRef[] = [];
    for (const { layer, entry } of directory.stack) {
      const found = (this.indexes[layer] as LayerIndex).lookup(entry, name);
      if (found >= 0) entries.push({ layer, entry: found });
    }
    return entries.length === 0 ? undefined : this.#merge(entries);
  }

  readDirectory(directory: MergedNode): MergedChild[] {
    const cursors = directory.stack.map(({ layer, entry }) => {
      const index = this.indexes[layer] as LayerIndex;
      const { first, end } = index.children(entry);
      return { index, layer, entry: first, end };
    });
    const children: MergedChild[] = [];
    for (;;) {
      let name: Uint8Array | undefined;
      let entries: LayerEntryRef[] = [];
      let taken: { entry: number }[] = [];
      for (const cursor of cursors) {
        if (cursor.entry === cursor.end) continue;
        const own = cursor.index.name(cursor.entry);
        const order = name === undefined ? -1 : Buffer.compare(own, name);
        if (order > 0) continue;
        if (order < 0) {
          name = own;
          entries = [];
          taken = [];
        }
        entries.push({ layer: cursor.layer, entry: cursor.entry });
        taken.push(cursor);
      }
      if (name === undefined) return children;
      for (const cursor of taken) cursor.entry++;
      const node = this.#merge(entries);
      if (node !== undefined) children.push({ name, node });
    }
  }

  find(path: Uint8Array): MergedNode | undefined {
    let node: MergedNode | undefined = this.root;
    for (let at = 0; at < path.length && node !== undefined; ) {
      const slash = path.indexOf(0x2f, at);
      const end = slash < 0 ? path.length : slash;
      node = node.kind === 'directory' ? this.lookup(node, path.subarray(at, end)) : undefined;
      at = end + 1;
    }
    return node;
  }

  inode({ layer, entry }: LayerEntryRef): number {
    return entry === 0 ? 1 : (this.#firstInode[layer] as number) + entry + 1;
  }

  layerOf(inode: number): number {
    if (inode === 1) return this.root.layer;
    const position = inode - 2;
    if (!(position >= 0 && position < this.#inodes)) return -1;
    // The last layer that begins at or before it: one without entries begins where the next one does.
    let low = 0;
    let high = this.#firstInode.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#firstInode[middle] as number) <= position) low = middle;
      else high = middle;
    }
    return low;
  }

  entryOf(inode: number, layer: number): number {
    return inode === 1 ? 0 : inode - 1 - (this.#firstInode[layer] as number);
  }
}

/** @param indexes bottom first, one at least */
export function mergeLayers(indexes: readonly LayerIndex[]): MergedTree {
  return new IndexedTree(indexes);
}
