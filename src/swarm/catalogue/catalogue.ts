import type { Digest } from '../../base/digest.ts';
import type { KeptBlob } from '../../store/image-records.ts';

/** One platform's manifest as a catalogue names it. */
export interface CatalogueManifest {
  /** CID of the manifest root. */
  readonly root: string;
  readonly digest: Digest;
  readonly imageId: Digest;
  /** `os/arch[/variant]` */
  readonly platform: string;
}

/** A start-up profile: what of a manifest root's content is used first, as one block. */
export interface CatalogueProfile {
  /** CID of the manifest root. */
  readonly root: string;
  /** CID of the profile. */
  readonly profile: string;
  /** Bytes of the profile. */
  readonly size: number;
}

/** One image that a station shares. */
export interface CatalogueImage {
  /** CID of the image root. */
  readonly root: string;
  readonly indexDigest?: Digest;
  readonly manifests: readonly CatalogueManifest[];
  readonly names: readonly string[];
  /** CIDs, newest last. */
  readonly publishedRoots: readonly string[];
  readonly keptBlobs: readonly KeptBlob[];
  /** Absent: none. */
  readonly profiles?: readonly CatalogueProfile[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** `push`, or the peer it was pulled from. */
  readonly origin: string;
}

/** A claim that the signer computed itself from the bytes. */
export interface CatalogueBinding {
  readonly diffId: Digest;
  /** CID of the layer root. */
  readonly root: string;
  /** Bytes of the uncompressed tar. */
  readonly tarSize: number;
  /** Blobs whose bytes the signer read and that gave this diffID. */
  readonly blobs: readonly Digest[];
}

/** What a station says of itself: signed, versioned, replaced as a whole. */
export interface Catalogue {
  readonly peer: string;
  /** Grows with each change, over restarts too. */
  readonly version: number;
  readonly images: readonly CatalogueImage[];
  readonly bindings: readonly CatalogueBinding[];
}

/** A catalogue of another station is refused above these. */
export const CATALOGUE_LIMITS = {
  bytes: 16 * 1024 * 1024,
  images: 20_000,
  manifests: 64,
  names: 256,
  nameBytes: 512,
  publishedRoots: 256,
  keptBlobs: 4096,
  profiles: 64,
  profileBytes: 64 * 1024,
  bindings: 200_000,
  bindingBlobs: 16,
} as const;
