import { fileDag } from '../dag/file-dag.ts';
import { badIndex } from './bad-index.ts';
import type { LayerIndex } from './layer-index.ts';

/**
 * Computes the root of every object of more than one leaf from its leaves and compares it with its digest.
 * @throws Fault `corrupt/bad-layer-index` (fields: object, cid)
 */
export function verifyObjects(index: LayerIndex): void {
  for (let object = 0; object < index.objectCount; object++) {
    const leaves = index.objectLeaves(object);
    if (leaves === undefined) continue;
    const cid = index.objectCid(object).toString();
    if (fileDag(index.objectSize(object), leaves).cid.toString() !== cid) {
      throw badIndex(`the leaves of object ${object} do not make ${cid}`, { object, cid });
    }
  }
}
