import type {
  AttributesReply,
  BytesReply,
  DirectoryReply,
  EntryReply,
  FuseFilesystem,
  NodeAttributes,
  OpenReply,
  RequestId,
  SeekReply,
  StatisticsReply,
  Status,
} from '../fuse/filesystem.ts';
import { latin1 } from '../image/layer/latin1.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import { ERRNO } from '../syscalls/errno.ts';
import type { Chain } from './chain.ts';
import type { ChainTable } from './chain-table.ts';
import type { ChainTree } from './chain-tree.ts';
import type { ContentOpener, FileAt } from './content-opener.ts';
import {
  createDirectoryReader,
  type DirectoryReader,
  notDirectory,
  OBJECTS_NAME,
  TREES_NAME,
} from './directory-reader.ts';
import { emptyAttributes, fillAttributes, fillFolder } from './node-attributes.ts';
import { NODES_PER_CHAIN, OBJECTS_NODE, ROOT_NODE, TREES_NODE } from './node-number.ts';
import { emptyShownEntry } from './shown-entry.ts';
import { isNeverShown, shownXattrs } from './shown-xattrs.ts';

export interface TreeFilesystemComponents {
  readonly chains: ChainTable;
  readonly content: ContentOpener;
  readonly interrupted: (request: RequestId) => void;
}

/**
 * ```
 * /           node 1
 *   t/<key>/  the merged tree of a chain
 *   o/        the place of objects by CID; nothing is there
 * ```
 * No answer depends on what was asked before: a node is found again by its number alone.
 */
export function createTreeFilesystem(components: TreeFilesystemComponents): FuseFilesystem {
  return new TreeFilesystem(components);
}

const NO_BYTES = new Uint8Array(0);

class TreeFilesystem implements FuseFilesystem {
  readonly #chains: ChainTable;
  readonly #content: ContentOpener;
  readonly #interrupted: (request: RequestId) => void;
  readonly #directories: DirectoryReader;
  /** Filled anew by each call. */
  readonly #shown = emptyShownEntry();
  readonly #attributes = emptyAttributes();
  #chain: Chain | undefined;
  #tree: ChainTree | undefined;

  constructor({ chains, content, interrupted }: TreeFilesystemComponents) {
    this.#chains = chains;
    this.#content = content;
    this.#directories = createDirectoryReader(chains);
    this.#interrupted = interrupted;
  }

  lookup(parent: number, name: Uint8Array, out: EntryReply): Status {
    if (parent < NODES_PER_CHAIN) return this.#lookupAbove(parent, name, out);
    const status = this.#enter(parent);
    if (status !== 0) return status;
    const chain = this.#chain as Chain;
    const tree = this.#tree as ChainTree;
    const directory = tree.directory(parent - chain.base);
    if (directory === undefined) return notDirectory(tree, parent - chain.base, this.#shown);
    const shown = this.#shown;
    if (!tree.lookup(directory, name, shown)) {
      out.absent();
      return 0;
    }
    fillAttributes(this.#attributes, tree, shown);
    out.entry(chain.base + tree.inode(shown), this.#attributes);
    return 0;
  }

  #lookupAbove(parent: number, name: Uint8Array, out: EntryReply): Status {
    if (parent === ROOT_NODE) {
      const node =
        Buffer.compare(name, TREES_NAME) === 0
          ? TREES_NODE
          : Buffer.compare(name, OBJECTS_NAME) === 0
            ? OBJECTS_NODE
            : 0;
      if (node === 0) out.absent();
      else out.entry(node, this.#folder(node));
      return 0;
    }
    // A chain comes when it comes, and the kernel keeps an absent name for a day: an error is not kept.
    if (parent === OBJECTS_NODE) return ERRNO.ENOENT;
    if (parent !== TREES_NODE) return ERRNO.ESTALE;
    const chain = this.#chains.get(latin1(name));
    if (chain === undefined) return ERRNO.ENOENT;
    const tree = chain.tree();
    if (tree === undefined || !tree.node(1, this.#shown)) return ERRNO.EIO;
    fillAttributes(this.#attributes, tree, this.#shown);
    out.entry(chain.base + 1, this.#attributes);
    return 0;
  }

  #folder(node: number): NodeAttributes {
    fillFolder(this.#attributes, node);
    return this.#attributes;
  }

  /** Finds the chain of a node and its tree. */
  #enter(node: number): Status {
    this.#chain = this.#chains.ofNode(node);
    this.#tree = this.#chain?.tree();
    if (this.#tree !== undefined) return 0;
    return this.#chain === undefined ? ERRNO.ESTALE : ERRNO.EIO;
  }

  /** The same, and fills what the node shows. */
  #find(node: number): Status {
    const status = this.#enter(node);
    if (status !== 0) return status;
    return (this.#tree as ChainTree).node(node - (this.#chain as Chain).base, this.#shown) ? 0 : ERRNO.ESTALE;
  }

  forget(node: number): void {
    this.#content.forget(node);
  }

  attributes(node: number, out: AttributesReply): Status {
    if (node <= OBJECTS_NODE) {
      out.attributes(this.#folder(node));
      return 0;
    }
    const status = this.#find(node);
    if (status !== 0) return status;
    fillAttributes(this.#attributes, this.#tree as ChainTree, this.#shown);
    out.attributes(this.#attributes);
    return 0;
  }

  readLink(node: number, out: BytesReply): Status {
    const status = this.#find(node);
    if (status !== 0) return status;
    if (this.#shown.kind !== 'symlink') return ERRNO.EINVAL;
    out.bytes(this.#index(this.#shown.layer).linkTarget(this.#shown.entry));
    return 0;
  }

  #index(layer: number): LayerIndex {
    return (this.#tree as ChainTree).indexes[layer] as LayerIndex;
  }

  #file(node: number): FileAt | Status {
    if (node < NODES_PER_CHAIN) return ERRNO.EISDIR;
    const status = this.#find(node);
    if (status !== 0) return status;
    const { layer, entry, kind } = this.#shown;
    // Devices and fifos are opened by the kernel itself.
    if (kind !== 'file') return kind === 'directory' ? ERRNO.EISDIR : ERRNO.EINVAL;
    return { node, chain: this.#chain as Chain, index: this.#index(layer), layer, entry };
  }

  open(node: number, _flags: number, request: RequestId, out: OpenReply): Status {
    const file = this.#file(node);
    return typeof file === 'number' ? file : this.#content.open(file, request, out);
  }

  read(
    node: number,
    handle: number,
    offset: number,
    size: number,
    request: RequestId,
    out: BytesReply,
  ): Status {
    const file = this.#file(node);
    return typeof file === 'number' ? file : this.#content.read(file, handle, offset, size, request, out);
  }

  release(node: number, handle: number): void {
    this.#content.release(node, handle);
  }

  readDirectory(node: number, offset: number, out: DirectoryReply): Status {
    return this.#directories.read(node, offset, out);
  }

  statistics(out: StatisticsReply): Status {
    let files = OBJECTS_NODE;
    let blocks = 0;
    for (const chain of this.#chains.all()) {
      files += chain.entries;
      blocks += chain.blocks;
    }
    out.statistics(blocks, files);
    return 0;
  }

  xattr(node: number, name: Uint8Array, out: BytesReply): Status {
    if (node < NODES_PER_CHAIN || isNeverShown(name)) return ERRNO.ENODATA;
    const status = this.#find(node);
    if (status !== 0) return status;
    const { attributeLayer, attributeEntry } = this.#shown;
    if (attributeLayer < 0) return ERRNO.ENODATA;
    const value = shownXattrs.value(this.#index(attributeLayer), attributeEntry, name);
    if (value === undefined) return ERRNO.ENODATA;
    out.bytes(value);
    return 0;
  }

  xattrNames(node: number, out: BytesReply): Status {
    if (node < NODES_PER_CHAIN) {
      out.bytes(NO_BYTES);
      return 0;
    }
    const status = this.#find(node);
    if (status !== 0) return status;
    const { attributeLayer, attributeEntry } = this.#shown;
    out.bytes(attributeLayer < 0 ? NO_BYTES : shownXattrs.names(this.#index(attributeLayer), attributeEntry));
    return 0;
  }

  seek(node: number, _handle: number, offset: number, toData: boolean, out: SeekReply): Status {
    const file = this.#file(node);
    if (typeof file === 'number') return file;
    const size = file.index.size(file.entry);
    // lseek(2): data everywhere, and a hole behind the end; nothing at or beyond it.
    if (offset >= size) return ERRNO.ENXIO;
    out.offset(toData ? offset : size);
    return 0;
  }

  interrupt(request: RequestId): void {
    this.#interrupted(request);
  }
}
