import { Fault } from '../../base/fault.ts';
import { DEFAULT_INDEX_LIMITS, type IndexLimits } from './index-limits.ts';
import type { LayerEntries } from './layer-entries.ts';
import type { LayerIndex } from './layer-index.ts';

/** The bytes of a layer index: a pure function of the entries. */
export function encodeLayerIndex(_entries: LayerEntries): Uint8Array {
  throw new Fault('internal', 'unfinished', 'encodeLayerIndex');
}

/**
 * Reads an index without copying it (unless `bytes` are not 8-byte aligned): do not change `bytes` afterwards.
 * Everything is checked, so that all getters are safe on any index that is answered; only the hashes are not
 * (see `verifyObjects`).
 * @throws Fault `corrupt/bad-layer-index`, `unsupported/layer-index-version`, `invalid/layer-index-too-big`
 */
export function decodeLayerIndex(
  _bytes: Uint8Array,
  _limits: IndexLimits = DEFAULT_INDEX_LIMITS,
): LayerIndex {
  throw new Fault('internal', 'unfinished', 'decodeLayerIndex');
}
