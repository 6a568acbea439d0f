import { Fault } from '../../base/fault.ts';
import type { BlockPlanBuilder } from '../dag/block-plan.ts';
import type { LayerIndex } from './layer-index.ts';

/**
 * Adds one layer's data blocks in canonical order: each object leaf by leaf, then the recipe's leaves.
 * @param recipeLeaves 32 bytes a leaf
 * @param recipeSize bytes of the recipe
 */
export function addLayerToPlan(
  _builder: BlockPlanBuilder,
  _index: LayerIndex,
  _recipeLeaves: Uint8Array,
  _recipeSize: number,
): void {
  throw new Fault('internal', 'unfinished', 'addLayerToPlan');
}
