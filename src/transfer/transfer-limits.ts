import type { LayerLimits } from '../image/layer/layer-limits.ts';
import type { TarLimits } from '../image/tar/tar-limits.ts';

/** What a stranger's image may cost at most; from the settings `limits.*`. */
export interface TransferLimits {
  readonly tar: TarLimits;
  readonly layer: LayerLimits;
  /** Bytes of one uncompressed layer. */
  readonly layerSize: number;
  /** Uncompressed to compressed, past the first 64 MiB. */
  readonly ratio: number;
  /** Bytes of one JSON document. */
  readonly json: number;
  readonly layers: number;
  readonly manifests: number;
}
