import type { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import type { DagBlock } from './dag-block.ts';

export interface NamedLink {
  /** Well-formed, not empty, not `.` or `..`, no `/`. */
  readonly name: string;
  readonly cid: CID;
  readonly tsize: number;
}

export interface DirectoryDag {
  readonly cid: CID;
  /** Cumulative: own blocks and the links' Tsizes. */
  readonly tsize: number;
  /** The directory's own blocks, children before parents, the root last. */
  readonly blocks: readonly DagBlock[];
}

/** Names + CIDs in bytes above which a directory becomes a HAMT. */
export const SHARD_THRESHOLD = 262_144;

/**
 * The UnixFS directory of these links, in any order.
 * @throws Fault `invalid/duplicate-name`, `invalid/bad-name`, `invalid/shard-too-deep`
 */
export function directoryDag(_links: readonly NamedLink[]): DirectoryDag {
  throw new Fault('internal', 'unfinished', 'directoryDag');
}

/** A UnixFS symlink. @param target bytes, kept as they are */
export function symlinkBlock(_target: Uint8Array): DagBlock & { readonly tsize: number } {
  throw new Fault('internal', 'unfinished', 'symlinkBlock');
}
