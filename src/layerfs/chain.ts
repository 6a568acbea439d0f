import type { ChainTree } from './chain-tree.ts';

/** A chain of layers under one name below `t/`. */
export interface Chain {
  readonly number: number;
  readonly key: string;
  readonly indexes: readonly string[];
  /** The node with inode 0: `node - base` is the inode in the tree. */
  readonly base: number;
  complete: boolean;
  recording: boolean;
  /** It is not what was claimed: opens and reads are EIO. */
  quarantined: boolean;
  /** Since it was added; told to the main thread where they changed. */
  passthroughOpens: number;
  readOpens: number;
  /** Of all layers, once they were read; else 0. Blocks of 4096 bytes. */
  readonly entries: number;
  readonly blocks: number;
  /** @returns undefined where an index cannot be read: EIO, and it was logged */
  tree(): ChainTree | undefined;
}
