/** Protocol id of a lane. */
export const LANE_PROTOCOL = '/shp/blocks/1';
export const LANE_VERSION = 1;

/** Blocks bigger than this are not carried: no DAG of ours has one, bitswap stops at 2 MiB. */
export const MAX_BLOCK_BYTES = 4 * 1024 * 1024;
/** Blocks of one group. */
export const MAX_GROUP_BLOCKS = 1024;
/** Plain bytes of one group: the largest block, or several that are together about {@link BULK_GROUP_BYTES}. */
export const MAX_GROUP_BYTES = MAX_BLOCK_BYTES;
/** A group's frame: its payload and up to 8 + 8 + 2 + 32 bytes of header a block. */
export const MAX_GROUP_FRAME = MAX_GROUP_BYTES + MAX_GROUP_BLOCKS * 64;

/** Plain bytes the server puts into one frame without compression: 5 ms at 50 MB/s, so a demand block waits little. */
export const PLAIN_GROUP_BYTES = 256 * 1024;
/**
 * The same where the group is compressed. Files of Debian's /usr, zstd level 6: 0.385 of plain in groups of 256 KiB,
 * 0.376 of 512 KiB, 0.369 of 1 MiB; gzip -6 of the whole: 0.404.
 */
export const BULK_GROUP_BYTES = 512 * 1024;

/** Blocks named by one want frame. */
export const MAX_WANT_BLOCKS = 1024;
/** Wants of one lane that are not answered yet; one more is a violation. */
export const MAX_OPEN_WANTS = 16_384;
/** Tree wants of one lane under way at once. */
export const MAX_OPEN_TREES = 8;
/** Bytes of tree groups, as they came, that wait to be decompressed; an honest server keeps within its credit. */
export const MAX_TREE_WAITING = 64 * 1024 * 1024;
/** Layer roots in the have list of a tree want. */
export const MAX_TREE_HAVE = 1024;
/** Names in the path of a tree want, and bytes of each. */
export const MAX_PATH_NAMES = 64;
export const MAX_NAME_BYTES = 4096;
/** Roots whose holdings one lane may follow. */
export const MAX_FOLLOWED_ROOTS = 256;
/** Bits of a holdings bitmap: blocks of one manifest root. */
export const MAX_PLAN_BLOCKS = 8 * 1024 * 1024;
export const MAX_DELTA_RUNS = 16_384;
/** Bytes of a CID on a lane: version, codec, multihash head and digest. */
export const MAX_CID_BYTES = 64;

/** Control bytes that may wait for a peer that does not read; one more closes the lane. */
export const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Wire bytes of bulk that the server may send before the first credit comes. */
export const FIRST_CREDIT = 1024 * 1024;
/** yamux closes a stream that was idle for 120 s. */
export const KEEP_ALIVE_MS = 45_000;
/** A lane that nobody used for so long is closed. */
export const IDLE_MS = 10 * 60_000;
/** Least time between two deltas of one root. */
export const DELTA_MS = 500;
