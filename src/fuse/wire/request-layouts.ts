import { layout } from './layout.ts';

/** What stands before every request (fuse_in_header). `length` counts itself. */
export const IN_HEADER = layout({
  length: 'u32',
  opcode: 'u32',
  unique: 'u64',
  node: 'u64',
  uid: 'u32',
  gid: 'u32',
  pid: 'u32',
  extensions: 'u16',
  padding: 'u16',
});

export const NO_BODY = layout({});
export const FORGET_IN = layout({ count: 'u64' });
export const BATCH_FORGET_IN = layout({ count: 'u32', padding: 'u32' });
/** Follows BATCH_FORGET_IN `count` times. */
export const FORGET_ONE = layout({ node: 'u64', count: 'u64' });
export const GETATTR_IN = layout({ getattrFlags: 'u32', padding: 'u32', handle: 'u64' });
export const SETATTR_IN = layout({
  valid: 'u32',
  padding: 'u32',
  handle: 'u64',
  size: 'u64',
  lockOwner: 'u64',
  atime: 'u64',
  mtime: 'u64',
  ctime: 'u64',
  atimeNanos: 'u32',
  mtimeNanos: 'u32',
  ctimeNanos: 'u32',
  mode: 'u32',
  unused: 'u32',
  uid: 'u32',
  gid: 'u32',
  unused2: 'u32',
});
export const MKNOD_IN = layout({ mode: 'u32', rdev: 'u32', umask: 'u32', padding: 'u32' });
export const MKDIR_IN = layout({ mode: 'u32', umask: 'u32' });
export const RENAME_IN = layout({ newParent: 'u64' });
export const RENAME2_IN = layout({ newParent: 'u64', flags: 'u32', padding: 'u32' });
export const LINK_IN = layout({ oldNode: 'u64' });
export const OPEN_IN = layout({ flags: 'u32', openFlags: 'u32' });
export const CREATE_IN = layout({ flags: 'u32', mode: 'u32', umask: 'u32', openFlags: 'u32' });
export const READ_IN = layout({
  handle: 'u64',
  offset: 'u64',
  size: 'u32',
  readFlags: 'u32',
  lockOwner: 'u64',
  flags: 'u32',
  padding: 'u32',
});
export const WRITE_IN = layout({
  handle: 'u64',
  offset: 'u64',
  size: 'u32',
  writeFlags: 'u32',
  lockOwner: 'u64',
  flags: 'u32',
  padding: 'u32',
});
export const RELEASE_IN = layout({ handle: 'u64', flags: 'u32', releaseFlags: 'u32', lockOwner: 'u64' });
export const FLUSH_IN = layout({ handle: 'u64', unused: 'u32', padding: 'u32', lockOwner: 'u64' });
export const FSYNC_IN = layout({ handle: 'u64', fsyncFlags: 'u32', padding: 'u32' });
/** The short form: FUSE_SETXATTR_EXT is never agreed on. Name and value follow. */
export const SETXATTR_IN = layout({ size: 'u32', flags: 'u32' });
export const GETXATTR_IN = layout({ size: 'u32', padding: 'u32' });
export const ACCESS_IN = layout({ mask: 'u32', padding: 'u32' });
/** Since 7.36; before, it ends behind `flags`. */
export const INIT_IN = layout({
  major: 'u32',
  minor: 'u32',
  maxReadahead: 'u32',
  flags: 'u32',
  flags2: 'u32',
});
/** What INIT has at least. */
export const SHORT_INIT_IN = layout({ major: 'u32', minor: 'u32', maxReadahead: 'u32', flags: 'u32' });
export const LOCK_IN = layout({
  handle: 'u64',
  owner: 'u64',
  start: 'u64',
  end: 'u64',
  type: 'u32',
  pid: 'u32',
  lockFlags: 'u32',
  padding: 'u32',
});
export const INTERRUPT_IN = layout({ unique: 'u64' });
export const BMAP_IN = layout({ block: 'u64', blockSize: 'u32', padding: 'u32' });
export const IOCTL_IN = layout({
  handle: 'u64',
  flags: 'u32',
  command: 'u32',
  argument: 'u64',
  inSize: 'u32',
  outSize: 'u32',
});
export const POLL_IN = layout({ handle: 'u64', kernelHandle: 'u64', flags: 'u32', events: 'u32' });
export const FALLOCATE_IN = layout({
  handle: 'u64',
  offset: 'u64',
  length: 'u64',
  mode: 'u32',
  padding: 'u32',
});
export const LSEEK_IN = layout({ handle: 'u64', offset: 'u64', whence: 'u32', padding: 'u32' });
export const COPY_FILE_RANGE_IN = layout({
  handleIn: 'u64',
  offsetIn: 'u64',
  nodeOut: 'u64',
  handleOut: 'u64',
  offsetOut: 'u64',
  length: 'u64',
  flags: 'u64',
});
export const SYNCFS_IN = layout({ padding: 'u64' });
export const STATX_IN = layout({
  getattrFlags: 'u32',
  reserved: 'u32',
  handle: 'u64',
  statxFlags: 'u32',
  mask: 'u32',
});
