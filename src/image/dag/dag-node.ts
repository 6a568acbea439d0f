import type { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';

export interface DagNodeLink {
  readonly name: string;
  readonly cid: CID;
  readonly tsize: number;
}

/** One decoded block. */
export interface DagNode {
  readonly kind: 'raw' | 'file' | 'directory' | 'shard' | 'symlink';
  readonly links: readonly DagNodeLink[];
  /** raw: the block; file: bytes held inline; symlink: the target; shard: the bit field. */
  readonly data?: Uint8Array;
  /** Content bytes of a file or raw block, length of a symlink's target, else 0. */
  readonly size: number;
  /** file: content bytes below each link. */
  readonly blockSizes: readonly number[];
}

/** No block above this is read at all; what shp makes is at most 1 MiB. */
export const MAX_BLOCK_SIZE = 4 * 1024 * 1024;

/** @throws Fault `corrupt/bad-node` (fields: block) */
export function readNode(_cid: CID, _bytes: Uint8Array): DagNode {
  throw new Fault('internal', 'unfinished', 'readNode');
}

/** @throws Fault `corrupt/block-mismatch` (fields: block) when the bytes do not hash to the CID */
export function verifyBlock(_cid: CID, _bytes: Uint8Array): void {
  throw new Fault('internal', 'unfinished', 'verifyBlock');
}

/** Children of a block, in link order; none of a raw one. @throws Fault `corrupt/bad-node` */
export function dagLinks(_cid: CID, _bytes: Uint8Array): CID[] {
  throw new Fault('internal', 'unfinished', 'dagLinks');
}
