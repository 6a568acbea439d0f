import { Fault } from '../../base/fault.ts';
import type { LayerEntries } from './layer-entries.ts';
import type { RecipeDraft } from './recipe-draft.ts';

/** Content of an object that the index does not hold. */
export type ReadDropped = (hash: Uint8Array, offset: number, length: number) => AsyncIterable<Uint8Array>;

/**
 * The recipe's bytes, in pieces of any length: every byte of the tar but the content of kept objects.
 * @throws Fault `internal/short-content` when `readDropped` gives another number of bytes
 */
export function encodeRecipe(
  _draft: RecipeDraft,
  _entries: LayerEntries,
  _readDropped: ReadDropped,
): AsyncIterable<Uint8Array> {
  throw new Fault('internal', 'unfinished', 'encodeRecipe');
}
