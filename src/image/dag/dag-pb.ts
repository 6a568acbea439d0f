/** One link of a dag-pb node, as bytes. */
export interface DagPbLink {
  readonly cid: Uint8Array;
  readonly name: Uint8Array;
  readonly tsize: number;
}
export function encodeDagPb(_links: readonly DagPbLink[], _data: Uint8Array): Uint8Array {
  throw new Error('unfinished');
}
