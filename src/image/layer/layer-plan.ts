import type { BlockPlanBuilder } from '../dag/block-plan.ts';
import { CHUNK_SIZE } from '../dag/file-dag.ts';
import type { LayerIndex } from './layer-index.ts';

/**
 * Adds one layer's data blocks in canonical order: each object leaf by leaf, then the recipe's leaves.
 * @param recipeLeaves 32 bytes a leaf, one at least
 * @param recipeSize bytes of the recipe
 */
export function addLayerToPlan(
  builder: BlockPlanBuilder,
  index: LayerIndex,
  recipeLeaves: Uint8Array,
  recipeSize: number,
): void {
  for (let object = 0; object < index.objectCount; object++) {
    addFile(builder, index.objectLeaves(object) ?? index.objectDigest(object), index.objectSize(object));
  }
  addFile(builder, recipeLeaves, recipeSize);
}

function addFile(builder: BlockPlanBuilder, leaves: Uint8Array, size: number): void {
  let left = size;
  for (let at = 0; at < leaves.length; at += 32) {
    builder.add(leaves.subarray(at, at + 32), Math.min(left, CHUNK_SIZE));
    left -= CHUNK_SIZE;
  }
}
