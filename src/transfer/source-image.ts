import type { Digest } from '../base/digest.ts';
import type { ImportedBlob } from './blob-import.ts';

export interface SourceLayer {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes, as the manifest says. */
  readonly size: number;
  /** Absent: a foreign layer whose bytes the source does not hold. */
  readonly blob?: ImportedBlob;
}

/** One manifest with all that it names, read and stored, digests checked. */
export interface SourceManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly config: { readonly bytes: Uint8Array; readonly digest: Digest; readonly mediaType: string };
  /** `os/arch[/variant]`; `unknown/unknown` for attestations. */
  readonly platform: string;
  /** diffIDs of the config, where it is an image's; one a layer then. */
  readonly diffIds?: readonly Digest[];
  readonly layers: readonly SourceLayer[];
}

/** What a push found in its source. */
export interface SourceImage {
  /** The index's exact bytes, where there is one. */
  readonly index?: Uint8Array;
  readonly manifests: readonly SourceManifest[];
  /** As the source names it. */
  readonly names: readonly string[];
  /** Manifests of the index that the source does not hold, in words. */
  readonly missing: readonly string[];
}
