import type { DirectoryReply, NodeAttributes, Status } from '../fuse/filesystem.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import { ERRNO } from '../syscalls/errno.ts';
import type { ChainTable } from './chain-table.ts';
import type { ChainTree } from './chain-tree.ts';
import { type DirectoryListing, listDirectory } from './directory-listing.ts';
import { emptyAttributes, fillAttributes, fillFolder } from './node-attributes.ts';
import { NODES_PER_CHAIN, OBJECTS_NODE, ROOT_NODE, shownInode, TREES_NODE } from './node-number.ts';
import { createRecent, type Recent } from './recent.ts';
import { emptyShownEntry } from './shown-entry.ts';

/** Lists directories: of chains, and those above them. */
export interface DirectoryReader {
  /** See `FuseFilesystem.readDirectory`. */
  read(node: number, offset: number, out: DirectoryReply): Status;
}

export const TREES_NAME = Buffer.from('t');
export const OBJECTS_NAME = Buffer.from('o');
const DOT = Buffer.from('.');
const DOT_DOT = Buffer.from('..');
/** Names in each of two generations of listings, 8 bytes each: the rest of a big directory is read from it, not made again. */
const LISTED_NAMES = 100_000;
/**
 * A listing counts at least this: its objects take some 700 bytes. The kernel keeps what it has read of a directory, so a
 * small one is asked for twice in a row, for its names and for its end, and then for a long while not.
 */
const LISTING_WEIGHT = 400;

export function createDirectoryReader(chains: ChainTable): DirectoryReader {
  return new ListingReader(chains);
}

class ListingReader implements DirectoryReader {
  readonly #chains: ChainTable;
  readonly #listings: Recent<number, DirectoryListing> = createRecent(LISTED_NAMES);
  /** Filled anew by each call. */
  readonly #shown = emptyShownEntry();
  readonly #attributes = emptyAttributes();

  constructor(chains: ChainTable) {
    this.#chains = chains;
  }

  read(node: number, offset: number, out: DirectoryReply): Status {
    if (node < NODES_PER_CHAIN) return this.#readAbove(node, offset, out);
    const chain = this.#chains.ofNode(node);
    if (chain === undefined) return ERRNO.ESTALE;
    const tree = chain.tree();
    if (tree === undefined) return ERRNO.EIO;
    const inode = node - chain.base;
    const listing = this.#listing(tree, node, inode);
    const shown = this.#shown;
    if (listing === undefined) return notDirectory(tree, inode, shown);
    const attributes = this.#attributes;
    // Offsets: 1 behind `.`, 2 behind `..`, then one more a name.
    if (offset < 2 && !this.#dots(tree, inode, offset, out)) return 0;
    for (let at = Math.max(0, offset - 2); at < listing.length; at++) {
      const layer = listing.layer(at);
      const entry = listing.entry(at);
      if (!tree.show(listing.directory, layer, entry, shown)) continue;
      fillAttributes(attributes, tree, shown);
      const name = (tree.indexes[layer] as LayerIndex).name(entry);
      if (!out.entry(name, at + 3, chain.base + tree.inode(shown), attributes)) break;
    }
    return 0;
  }

  #listing(tree: ChainTree, node: number, inode: number): DirectoryListing | undefined {
    let listing = this.#listings.get(node);
    if (listing === undefined) {
      const directory = tree.directory(inode);
      if (directory === undefined) return undefined;
      listing = listDirectory(tree.merged, directory);
      this.#listings.set(node, listing, Math.max(LISTING_WEIGHT, listing.length));
    }
    return listing;
  }

  #dots(tree: ChainTree, inode: number, offset: number, out: DirectoryReply): boolean {
    const attributes = this.#attributes;
    if (offset === 0) {
      if (!tree.node(inode, this.#shown)) return false;
      fillAttributes(attributes, tree, this.#shown);
      if (!out.entry(DOT, 1, 0, attributes)) return false;
    }
    const parent = tree.parent(inode);
    if (parent > 0 && tree.node(parent, this.#shown)) fillAttributes(attributes, tree, this.#shown);
    else fillFolder(attributes, TREES_NODE);
    return out.entry(DOT_DOT, 2, 0, attributes);
  }

  #folder(node: number): NodeAttributes {
    fillFolder(this.#attributes, node);
    return this.#attributes;
  }

  #readAbove(node: number, offset: number, out: DirectoryReply): Status {
    if (node > OBJECTS_NODE) return ERRNO.ESTALE;
    if (offset < 1 && !out.entry(DOT, 1, 0, this.#folder(node))) return 0;
    if (offset < 2 && !out.entry(DOT_DOT, 2, 0, this.#folder(ROOT_NODE))) return 0;
    if (node === ROOT_NODE) {
      if (offset < 3 && !out.entry(TREES_NAME, 3, TREES_NODE, this.#folder(TREES_NODE))) return 0;
      if (offset < 4) out.entry(OBJECTS_NAME, 4, OBJECTS_NODE, this.#folder(OBJECTS_NODE));
    } else if (node === TREES_NODE) {
      this.#readTrees(offset, out);
    }
    return 0;
  }

  #readTrees(offset: number, out: DirectoryReply): void {
    // By chain number, so that an offset means the same after others came or went. Without a node: attributes would ask
    // for every chain's indexes.
    const chains = [...this.#chains.all()].sort((a, b) => a.number - b.number);
    for (const chain of chains) {
      if (chain.number + 2 <= offset) continue;
      const attributes = this.#folder(shownInode(1));
      if (!out.entry(Buffer.from(chain.key), chain.number + 2, 0, attributes)) return;
    }
  }
}

/** What to answer where a directory was meant and `inode` is none. @param shown filled */
export function notDirectory(
  tree: ChainTree,
  inode: number,
  shown: ReturnType<typeof emptyShownEntry>,
): Status {
  return tree.node(inode, shown) && shown.kind !== 'directory' ? ERRNO.ENOTDIR : ERRNO.ESTALE;
}
