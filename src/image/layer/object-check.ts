import { Fault } from '../../base/fault.ts';
import type { LayerIndex } from './layer-index.ts';

/**
 * Computes the root of every object of more than one leaf from its leaves and compares it with its digest.
 * @throws Fault `corrupt/bad-layer-index` (fields: object)
 */
export function verifyObjects(_index: LayerIndex): void {
  throw new Fault('internal', 'unfinished', 'verifyObjects');
}
