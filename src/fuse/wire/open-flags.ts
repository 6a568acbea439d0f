/** Flags of an OPEN reply (linux/fuse.h). */
export const FOPEN_KEEP_CACHE = 1 << 1;
export const FOPEN_CACHE_DIR = 1 << 3;
/** The kernel reads the backing file of the reply's id itself: 7.40. */
export const FOPEN_PASSTHROUGH = 1 << 7;
