import type { NodeAttributes } from '../filesystem.ts';
import { packDevice, putInteger } from './integers.ts';
import { ATTRIBUTES_OUT, ENTRY_OUT, GETATTR_OUT, STATX_OUT } from './reply-layouts.ts';

/** Layers never change: what the kernel knows of a node, or of a name that is not there, holds for a day. */
const VALID_SECONDS = 86_400;
const BLOCK_SIZE = 4096;
/** STATX_BASIC_STATS: everything but the birth time. */
const BASIC_STATS = 0x7ff;
const ATTRIBUTES = ATTRIBUTES_OUT.at;
const ENTRY = ENTRY_OUT.at;
const STATX = STATX_OUT.at;

/** fuse_attr. All three times are the modification's, which is the only one that a layer has. */
export function putAttributes(view: DataView, at: number, attributes: NodeAttributes): void {
  const { size, mtime, mtimeNanos } = attributes;
  putInteger(view, at + ATTRIBUTES.inode, attributes.inode);
  putInteger(view, at + ATTRIBUTES.size, size);
  putInteger(view, at + ATTRIBUTES.blocks, Math.ceil(size / 512));
  putInteger(view, at + ATTRIBUTES.atime, mtime);
  putInteger(view, at + ATTRIBUTES.mtime, mtime);
  putInteger(view, at + ATTRIBUTES.ctime, mtime);
  view.setUint32(at + ATTRIBUTES.atimeNanos, mtimeNanos, true);
  view.setUint32(at + ATTRIBUTES.mtimeNanos, mtimeNanos, true);
  view.setUint32(at + ATTRIBUTES.ctimeNanos, mtimeNanos, true);
  view.setUint32(at + ATTRIBUTES.mode, attributes.mode, true);
  view.setUint32(at + ATTRIBUTES.nlink, attributes.nlink, true);
  view.setUint32(at + ATTRIBUTES.uid, attributes.uid, true);
  view.setUint32(at + ATTRIBUTES.gid, attributes.gid, true);
  view.setUint32(at + ATTRIBUTES.rdev, packDevice(attributes.devMajor, attributes.devMinor), true);
  view.setUint32(at + ATTRIBUTES.blockSize, BLOCK_SIZE, true);
  view.setUint32(at + ATTRIBUTES.attrFlags, 0, true);
}

/** fuse_entry_out: a name that is there. */
export function putEntry(view: DataView, at: number, node: number, attributes: NodeAttributes): void {
  putInteger(view, at + ENTRY.node, node);
  putInteger(view, at + ENTRY.generation, 0);
  putInteger(view, at + ENTRY.entryValid, VALID_SECONDS);
  putInteger(view, at + ENTRY.attrValid, VALID_SECONDS);
  putInteger(view, at + ENTRY.entryValidNanos, 0);
  putAttributes(view, at + ENTRY.inode, attributes);
}

/** fuse_entry_out of a name that is not there: node 0, which the kernel remembers as long. */
export function putAbsent(bytes: Uint8Array, view: DataView, at: number): void {
  bytes.fill(0, at, at + ENTRY_OUT.size);
  putInteger(view, at + ENTRY.entryValid, VALID_SECONDS);
}

/** fuse_attr_out */
export function putGetattr(view: DataView, at: number, attributes: NodeAttributes): void {
  putInteger(view, at + GETATTR_OUT.at.attrValid, VALID_SECONDS);
  putInteger(view, at + GETATTR_OUT.at.attrValidNanos, 0);
  putAttributes(view, at + GETATTR_OUT.at.inode, attributes);
}

/** fuse_statx_out */
export function putStatx(bytes: Uint8Array, view: DataView, at: number, attributes: NodeAttributes): void {
  const { size, mtime, mtimeNanos } = attributes;
  bytes.fill(0, at, at + STATX_OUT.size);
  putInteger(view, at + STATX.attrValid, VALID_SECONDS);
  view.setUint32(at + STATX.mask, BASIC_STATS, true);
  view.setUint32(at + STATX.blockSize, BLOCK_SIZE, true);
  view.setUint32(at + STATX.nlink, attributes.nlink, true);
  view.setUint32(at + STATX.uid, attributes.uid, true);
  view.setUint32(at + STATX.gid, attributes.gid, true);
  view.setUint16(at + STATX.mode, attributes.mode, true);
  putInteger(view, at + STATX.inode, attributes.inode);
  putInteger(view, at + STATX.size, size);
  putInteger(view, at + STATX.blocks, Math.ceil(size / 512));
  for (const [seconds, nanos] of STATX_TIMES) {
    putInteger(view, at + seconds, mtime);
    view.setUint32(at + nanos, mtimeNanos, true);
  }
  view.setUint32(at + STATX.rdevMajor, attributes.devMajor, true);
  view.setUint32(at + STATX.rdevMinor, attributes.devMinor, true);
}

const STATX_TIMES = [
  [STATX.atime, STATX.atimeNanos],
  [STATX.ctime, STATX.ctimeNanos],
  [STATX.mtime, STATX.mtimeNanos],
] as const;
