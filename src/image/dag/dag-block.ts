import type { CID } from 'multiformats/cid';

/** A block that was made here: its bytes hash to its CID by construction. */
export interface DagBlock {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** A child as a directory or an inner node links it. */
export interface DagLink {
  readonly cid: CID;
  /** Cumulative size: block bytes and the links' Tsizes (dag-pb `Tsize`). */
  readonly tsize: number;
}
