import type { CID } from 'multiformats/cid';
import type { Lease } from './lease.ts';

/**
 * Any block by CID, wherever its bytes lie: a block of its own in the database (directories, recipes, JSON; zstd),
 * a leaf read out of an object by offset, or an inner node of an object.
 */
export interface BlockStore {
  has(cid: CID): boolean;
  /** @param sharedOnly answer only what this station shares: every way by which a peer asks sets it */
  get(cid: CID, options?: { sharedOnly?: boolean }): Promise<Uint8Array | undefined>;
  getSync(cid: CID, options?: { sharedOnly?: boolean }): Uint8Array | undefined;
  /** Size in bytes of the block without reading it, `undefined` where it is not here (or not shared, when asked so). */
  size(cid: CID, options?: { sharedOnly?: boolean }): number | undefined;
  /** Keeps a block in the database. `bytes` must hash to `cid` (checked; Fault `corrupt/block-mismatch`). */
  put(lease: Lease, cid: CID, bytes: Uint8Array): void;
}
