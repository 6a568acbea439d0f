/**
 * Node ids are made, not remembered: `chain number * 2^32 + inode of the merged tree`. So a mount server that starts
 * anew means the same by them. Below the first chain's lie the folders that are above all chains.
 */
export const ROOT_NODE = 1;
/** `t/`: a folder a chain. */
export const TREES_NODE = 2;
/** `o/`: objects by CID; empty so far. */
export const OBJECTS_NODE = 3;

export const NODES_PER_CHAIN = 2 ** 32;
/** So that every node is below 2^53. */
export const MAX_CHAIN_NUMBER = 2 ** 21 - 1;

/**
 * What stat(2) shows is the inode without the chain, moved past the three folders: programs of 32-bit images that were
 * built without large files get EOVERFLOW from stat and readdir for an inode above 2^32 - 1, and an overlay hands a
 * lower file's inode on as it is. Unique within a chain and against the folders above it: walkers that see an inode
 * twice on one path take it for a loop.
 */
export function shownInode(inode: number): number {
  return inode + OBJECTS_NODE;
}

/** Inodes that a chain may have, so that they are shown in 32 bits. */
export const MAX_CHAIN_INODES = NODES_PER_CHAIN - 1 - OBJECTS_NODE;
