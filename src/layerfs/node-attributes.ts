import { constants } from 'node:fs';
import type { NodeAttributes } from '../fuse/filesystem.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import type { MergedNode } from '../image/layer/merged-tree.ts';
import type { ChainTree } from './chain-tree.ts';
import { shownInode } from './node-number.ts';
import type { ShownEntry } from './shown-entry.ts';

const { S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO } = constants as typeof constants & {
  readonly S_IFIFO: number;
};

const TYPE_BITS: Readonly<Record<MergedNode['kind'], number>> = {
  file: S_IFREG,
  directory: S_IFDIR,
  symlink: S_IFLNK,
  chardev: S_IFCHR,
  blockdev: S_IFBLK,
  fifo: S_IFIFO,
};

/** Of a directory that no layer describes. */
const IMPLIED_MODE = 0o755;

export function emptyAttributes(): NodeAttributes {
  return {
    inode: 0,
    size: 0,
    mtime: 0,
    mtimeNanos: 0,
    mode: 0,
    nlink: 1,
    uid: 0,
    gid: 0,
    devMajor: 0,
    devMinor: 0,
  };
}

/** A folder above the chains. */
export function fillFolder(out: NodeAttributes, inode: number): void {
  out.inode = inode;
  out.size = 0;
  out.mtime = 0;
  out.mtimeNanos = 0;
  out.mode = S_IFDIR | 0o755;
  out.nlink = 1;
  out.uid = 0;
  out.gid = 0;
  out.devMajor = 0;
  out.devMinor = 0;
}

/** Times before 1970 go as they are: the kernel takes FUSE's u64 seconds as signed. */
export function fillAttributes(out: NodeAttributes, tree: ChainTree, shown: ShownEntry): void {
  const index = tree.indexes[shown.layer] as LayerIndex;
  const { entry, kind } = shown;
  const device = kind === 'chardev' || kind === 'blockdev';
  out.inode = shownInode(tree.inode(shown));
  out.size = index.size(entry);
  out.nlink = tree.links(shown);
  out.devMajor = device ? index.devMajor(entry) : 0;
  out.devMinor = device ? index.devMinor(entry) : 0;
  if (shown.attributeLayer < 0) {
    out.mtime = 0;
    out.mtimeNanos = 0;
    out.mode = S_IFDIR | IMPLIED_MODE;
    out.uid = 0;
    out.gid = 0;
    return;
  }
  const owner = tree.indexes[shown.attributeLayer] as LayerIndex;
  const at = shown.attributeEntry;
  out.mtime = owner.mtime(at);
  out.mtimeNanos = owner.mtimeNanos(at);
  out.mode = TYPE_BITS[kind] | owner.mode(at);
  out.uid = owner.uid(at);
  out.gid = owner.gid(at);
}
