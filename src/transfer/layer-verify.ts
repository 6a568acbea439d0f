import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { createTarReader } from '../image/tar/tar-reader.ts';
import type { Lease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import { readDroppedFrom } from './dropped-content.ts';
import { createImportTaker } from './import-taker.ts';
import { createLayerAssembly, layerTooBig } from './layer-assembly.ts';
import { hashingSink, writeLayerBlocks } from './layer-blocks.ts';
import { layerPieces, type RebuildOptions, type StoredLayer } from './stored-layer.ts';
import type { TransferLimits } from './transfer-limits.ts';
import { createVerifyTaker } from './verify-taker.ts';

export interface LayerVerification {
  readonly diffId: Digest;
  readonly tarSize: number;
}

/**
 * Rebuilds the layer's tar, hashes it, imports it anew without storing it, and compares: the tar must have the
 * claimed diffID **and** make the same layer root. A genuine recipe beside a lying index passes the first check alone.
 * @param onBytes bytes of the tar so far
 * @throws Fault `corrupt/diffid-mismatch`, `corrupt/layer-root-mismatch` and what reading meets
 */
export async function verifyLayer(
  store: Store,
  layer: StoredLayer,
  claimed: Digest,
  options: {
    /** Keeps content that only the recipe holds until the comparison is done. */
    readonly lease: Lease;
    readonly limits: TransferLimits;
    readonly signal: AbortSignal;
    readonly onBytes?: (bytes: number) => void;
    readonly rangeReady?: RebuildOptions['rangeReady'];
    /** Hash the content again (after a suspicion of the disk), not only the tar. */
    readonly rehash?: boolean;
  },
): Promise<LayerVerification> {
  const taker = createVerifyTaker(
    createImportTaker(store.objects, options.lease, { bytes: 0, here: 0, written: 0 }),
  );
  const assembly = createLayerAssembly(taker, options.limits);
  const reader = createTarReader(assembly, options.limits.tar);
  const hash = createHash('sha256');
  let tarSize = 0;
  try {
    for await (const { bytes, source } of layerPieces(store, layer, options)) {
      if (source === undefined || options.rehash) taker.fromRecipe();
      else taker.fromObject(source.object, source.offset);
      hash.update(bytes);
      reader.push(bytes);
      tarSize += bytes.length;
      if (tarSize > options.limits.layerSize) throw layerTooBig(options.limits);
      options.onBytes?.(tarSize);
      const full = store.objects.drained(options.lease);
      if (full !== undefined) await full;
    }
    reader.end();
  } catch (error) {
    assembly.abort();
    throw error;
  }
  const diffId = digestOf(hash.digest());
  if (diffId !== claimed) {
    throw new Fault(
      'corrupt',
      'diffid-mismatch',
      `layer ${layer.root} is claimed to be ${claimed} but its tar is ${diffId}`,
      {
        fields: { layer: layer.root.toString(), claimed, found: diffId },
      },
    );
  }
  const anew = await writeLayerBlocks(assembly.finish(), hashingSink(readDroppedFrom(store)));
  if (anew.root.cid.toString() !== layer.root.toString()) {
    throw new Fault(
      'corrupt',
      'layer-root-mismatch',
      `layer ${layer.root} does not describe its own tar ${diffId}: an import of that tar gives ${anew.root.cid}`,
      { fields: { layer: layer.root.toString(), found: anew.root.cid.toString(), diffId } },
    );
  }
  return { diffId, tarSize };
}
