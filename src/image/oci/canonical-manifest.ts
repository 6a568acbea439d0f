import type { Digest } from '../../base/digest.ts';
import { OCI_CONFIG, OCI_LAYER_TAR, OCI_MANIFEST } from './media-types.ts';

export interface CanonicalLayer {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
}

/**
 * The one manifest of an image that came without one that counts (docs/dag-format.md, "Canonical manifest"): a pure
 * function of config and layers, so that archives of every Docker version give one root. Plain tars as layers, no
 * annotations, keys in the order of the specification, no white space: golden bytes, never to be changed.
 * @param layers bottom first
 */
export function canonicalManifest(
  config: { readonly digest: Digest; readonly size: number },
  layers: readonly CanonicalLayer[],
): Buffer {
  const document = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: config.digest, size: config.size },
    layers: layers.map(({ diffId, size }) => ({ mediaType: OCI_LAYER_TAR, digest: diffId, size })),
  };
  return Buffer.from(JSON.stringify(document));
}
