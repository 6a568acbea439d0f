import { layout } from './layout.ts';

/** What stands before every reply (fuse_out_header). `error` is a negative errno; a notification has its code there. */
export const OUT_HEADER = layout({ length: 'u32', error: 'i32', unique: 'u64' });

const ATTRIBUTES = {
  inode: 'u64',
  size: 'u64',
  blocks: 'u64',
  atime: 'i64',
  mtime: 'i64',
  ctime: 'i64',
  atimeNanos: 'u32',
  mtimeNanos: 'u32',
  ctimeNanos: 'u32',
  mode: 'u32',
  nlink: 'u32',
  uid: 'u32',
  gid: 'u32',
  rdev: 'u32',
  blockSize: 'u32',
  attrFlags: 'u32',
} as const;

/** fuse_attr */
export const ATTRIBUTES_OUT = layout(ATTRIBUTES);
/** fuse_entry_out; `attributes` is where the fuse_attr in it begins. */
export const ENTRY_OUT = layout({
  node: 'u64',
  generation: 'u64',
  entryValid: 'u64',
  attrValid: 'u64',
  entryValidNanos: 'u32',
  attrValidNanos: 'u32',
  ...ATTRIBUTES,
});
/** fuse_attr_out */
export const GETATTR_OUT = layout({
  attrValid: 'u64',
  attrValidNanos: 'u32',
  padding: 'u32',
  ...ATTRIBUTES,
});
export const OPEN_OUT = layout({ handle: 'u64', openFlags: 'u32', backingId: 'i32' });
export const STATFS_OUT = layout({
  blocks: 'u64',
  freeBlocks: 'u64',
  availableBlocks: 'u64',
  files: 'u64',
  freeFiles: 'u64',
  blockSize: 'u32',
  nameLength: 'u32',
  fragmentSize: 'u32',
  padding: 'u32',
  spare0: 'u64',
  spare1: 'u64',
  spare2: 'u64',
});
export const GETXATTR_OUT = layout({ size: 'u32', padding: 'u32' });
export const LSEEK_OUT = layout({ offset: 'u64' });
export const INIT_OUT = layout({
  major: 'u32',
  minor: 'u32',
  maxReadahead: 'u32',
  flags: 'u32',
  maxBackground: 'u16',
  congestionThreshold: 'u16',
  maxWrite: 'u32',
  timeGranularity: 'u32',
  maxPages: 'u16',
  mapAlignment: 'u16',
  flags2: 'u32',
  maxStackDepth: 'u32',
  unused0: 'u64',
  unused1: 'u64',
  unused2: 'u64',
});
/** fuse_dirent: the name follows, and zeros up to a multiple of 8. */
export const DIRENT_OUT = layout({ inode: 'u64', next: 'u64', nameLength: 'u32', type: 'u32' });
/** fuse_statx_out */
export const STATX_OUT = layout({
  attrValid: 'u64',
  attrValidNanos: 'u32',
  flags: 'u32',
  spare0: 'u64',
  spare1: 'u64',
  mask: 'u32',
  blockSize: 'u32',
  attributes: 'u64',
  nlink: 'u32',
  uid: 'u32',
  gid: 'u32',
  mode: 'u16',
  padding: 'u16',
  inode: 'u64',
  size: 'u64',
  blocks: 'u64',
  attributesMask: 'u64',
  atime: 'i64',
  atimeNanos: 'u32',
  padding1: 'u32',
  btime: 'i64',
  btimeNanos: 'u32',
  padding2: 'u32',
  ctime: 'i64',
  ctimeNanos: 'u32',
  padding3: 'u32',
  mtime: 'i64',
  mtimeNanos: 'u32',
  padding4: 'u32',
  rdevMajor: 'u32',
  rdevMinor: 'u32',
  devMajor: 'u32',
  devMinor: 'u32',
  spare2: 'u64',
  spare3: 'u64',
  spare4: 'u64',
  spare5: 'u64',
  spare6: 'u64',
  spare7: 'u64',
  spare8: 'u64',
  spare9: 'u64',
  spare10: 'u64',
  spare11: 'u64',
  spare12: 'u64',
  spare13: 'u64',
  spare14: 'u64',
  spare15: 'u64',
});
