/**
 * Every data block of one manifest root in canonical order: layer by layer, bottom first; in a layer each object in
 * index order, leaf by leaf, then the leaves of the recipe; a block that came before is not listed again. All of
 * them are raw blocks with a sha2-256, so 32 bytes name one. Two stations that hold the indexes compute the same
 * plan, so a bitmap over it says who has what.
 */
export interface BlockPlan {
  readonly count: number;
  /** `count` x 32 bytes. */
  readonly digests: Uint8Array;
  /** Plain bytes of each block, at most 262,144. */
  readonly sizes: Uint32Array;
}
