import { Fault } from '../../base/fault.ts';
import type { LayerIndex } from './layer-index.ts';

/** One line an entry and one an object, without line ends; see docs/dag-format.md. */
export function formatLayerIndex(_index: LayerIndex): Iterable<string> {
  throw new Fault('internal', 'unfinished', 'formatLayerIndex');
}

/** The index's bytes from its text. @throws Fault `invalid/bad-index-text` (fields: line) */
export function parseLayerIndexText(_text: string): Uint8Array {
  throw new Fault('internal', 'unfinished', 'parseLayerIndexText');
}
