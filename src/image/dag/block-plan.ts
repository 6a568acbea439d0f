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

/** Collects the blocks of a plan; at most `maxBlocks` (default 2^24). About 52 bytes a block while it grows, no objects. */
export interface BlockPlanBuilder {
  /**
   * Takes the next block in canonical order; one that came before keeps its place.
   * @param digest 32 bytes, copied
   * @param size bytes, at most 262,144
   * @returns its index in the plan
   * @throws Fault `invalid/plan-too-big`, `invalid/bad-plan-block`, `corrupt/skewed-digests`
   */
  add(digest: Uint8Array, size: number): number;
  /** -1 where it is not in the plan. */
  indexOf(digest: Uint8Array): number;
  /** The plan so far; `indexOf` goes on working. */
  finish(): BlockPlan;
}

export function createBlockPlanBuilder(_options: { readonly maxBlocks?: number } = {}): BlockPlanBuilder {
  throw new Error('unfinished');
}
