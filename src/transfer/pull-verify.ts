import { Fault } from '../base/fault.ts';
import type { Lease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import { verifyLayer } from './layer-verify.ts';
import type { PullLayer } from './pull-parts.ts';
import type { RebuildOptions } from './stored-layer.ts';
import type { TransferLimits } from './transfer-limits.ts';

/**
 * Verifies a layer while its blocks still come: each object is waited for when the tar reaches it. Skipped where this
 * station computed the same binding from the bytes before: the layer root names every byte.
 */
export async function verifyPulledLayer(
  store: Store,
  lease: Lease,
  { layer, diffId }: PullLayer,
  options: {
    readonly limits: TransferLimits;
    readonly signal: AbortSignal;
    readonly objectReady: (object: number) => Promise<void>;
    readonly rangeReady: NonNullable<RebuildOptions['rangeReady']>;
    readonly onBytes: (bytes: number) => void;
  },
): Promise<{ readonly tarSize: number }> {
  const known = store.bindings.get(diffId);
  if (known?.source === 'here' && known.root === layer.root.toString()) {
    for (let object = 0; object < layer.index.objectCount; object++) await options.objectReady(object);
    return known;
  }
  try {
    const { tarSize } = await verifyLayer(store, layer, diffId, { ...options, lease });
    await store.bindings.put({ diffId, root: layer.root.toString(), tarSize, source: 'here' });
    return { tarSize };
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'corrupt') throw error;
    // Who signed this very root lied; who signed another one, or this station itself, did not.
    if (known?.root === layer.root.toString()) await store.bindings.dropSource(known.source);
    throw error;
  }
}
