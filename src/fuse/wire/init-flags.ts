/** Flags of INIT (linux/fuse.h) that this server asks for, by the word they travel in. */
export const INIT_FLAGS = {
  ASYNC_READ: 1 << 0,
  DO_READDIRPLUS: 1 << 13,
  PARALLEL_DIROPS: 1 << 18,
  /** Without it the kernel shows the ACLs that it reads as xattrs, and heeds none, on an overlay neither (seen on 6.18). */
  POSIX_ACL: 1 << 20,
  ABORT_ERROR: 1 << 21,
  MAX_PAGES: 1 << 22,
  CACHE_SYMLINKS: 1 << 23,
  NO_OPENDIR_SUPPORT: 1 << 24,
  EXPLICIT_INVAL_DATA: 1 << 25,
  INIT_EXT: 1 << 30,
} as const;

/** Bits 32-63. */
export const INIT_FLAGS2 = {
  PASSTHROUGH: 1 << (37 - 32),
  HAS_RESEND: 1 << (39 - 32),
} as const;
