import type { DagBlock, DagLink } from '../dag/dag-block.ts';
import { type DirectoryDag, directoryDag, type NamedLink, symlinkBlock } from '../dag/directory-dag.ts';
import { fileDag } from '../dag/file-dag.ts';
import { escapeBytes } from './byte-text.ts';
import type { LayerIndex } from './layer-index.ts';

/**
 * The `tree/` of a layer root: directories, symlinks, and every file as its object's CID. Devices, fifos, whiteouts
 * and hard links to lower layers are not in it. `blocks` are the blocks of all directories and symlinks, children
 * before parents, the tree's root last; one that several entries share comes more than once.
 */
export function layerTree(index: LayerIndex): DirectoryDag {
  const blocks: DagBlock[] = [];
  const objectLink = objectLinks(index);
  const directories = new Map<number, DagLink>();
  const symlinks = new Map<number, DagLink>();

  const symlinkLink = (entry: number): DagLink => {
    let link = symlinks.get(entry);
    if (link === undefined) {
      const block = symlinkBlock(index.linkTarget(entry));
      blocks.push({ cid: block.cid, bytes: block.bytes });
      link = { cid: block.cid, tsize: block.tsize };
      symlinks.set(entry, link);
    }
    return link;
  };
  const linkOf = (entry: number): DagLink | undefined => {
    switch (index.kind(entry)) {
      case 'directory':
        return directories.get(entry);
      case 'file':
        return objectLink(index.object(entry));
      case 'symlink':
        return symlinkLink(entry);
      case 'hardlink': {
        const owner = index.hardlinkEntry(entry);
        return owner < 0 ? undefined : linkOf(owner);
      }
      default:
        return undefined;
    }
  };

  // Breadth-first numbers: from the last entry to the first, every directory comes behind all below it.
  for (let entry = index.entryCount - 1; entry >= 0; entry--) {
    if (index.kind(entry) !== 'directory') continue;
    const links: NamedLink[] = [];
    const { first, end } = index.children(entry);
    for (let child = first; child < end; child++) {
      const link = linkOf(child);
      if (link !== undefined) {
        links.push({ name: escapeBytes(index.name(child)), cid: link.cid, tsize: link.tsize });
      }
    }
    const dag = directoryDag(links);
    for (const block of dag.blocks) blocks.push(block);
    directories.set(entry, { cid: dag.cid, tsize: dag.tsize });
    for (let child = first; child < end; child++) directories.delete(child);
  }
  const root = directories.get(0) as DagLink;
  return { cid: root.cid, tsize: root.tsize, blocks };
}

/** Objects' links, each made once: the Tsize of one of several leaves needs its inner nodes. */
function objectLinks(index: LayerIndex): (object: number) => DagLink {
  const links: DagLink[] = [];
  return (object) => {
    let link = links[object];
    if (link === undefined) {
      const size = index.objectSize(object);
      const leaves = index.objectLeaves(object);
      const tsize = leaves === undefined ? size : fileDag(size, leaves).tsize;
      link = { cid: index.objectCid(object), tsize };
      links[object] = link;
    }
    return link;
  };
}
