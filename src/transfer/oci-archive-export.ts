import { CID } from 'multiformats/cid';
import { type Digest, digestOfBytes } from '../base/digest.ts';
import { canonicalManifest } from '../image/oci/canonical-manifest.ts';
import type { Descriptor } from '../image/oci/descriptor.ts';
import { parseImageIndex } from '../image/oci/image-index.ts';
import { findMediaType, OCI_INDEX, OCI_MANIFEST } from '../image/oci/media-types.ts';
import {
  layoutBlobPath,
  OCI_LAYOUT_FILE,
  OCI_LAYOUT_INDEX,
  writeLayoutIndex,
  writeOciLayout,
} from '../image/oci/oci-layout.ts';
import type { ImageRecord, LayerRecord, ManifestRecord } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import { type ArchiveFile, bytesFile, layerFile, manifestDocuments, objectFile } from './export-file.ts';
import { indexJson } from './index-json.ts';

/** An OCI layout: with the publisher's manifest where every blob it names can be given, else the canonical one. */
export function ociArchiveFiles(
  store: Store,
  record: ImageRecord,
  manifest: ManifestRecord,
  names: readonly string[],
  signal: AbortSignal,
): ArchiveFile[] {
  const { manifest: original, config } = manifestDocuments(store, manifest);
  const exact = hasExactBlobs(record, manifest);
  const bytes = exact
    ? original
    : canonicalManifest({ digest: manifest.imageId, size: config.length }, plainLayers(manifest));
  const digest = digestOfBytes(bytes);
  const index = exact ? indexJson(store, record) : undefined;
  const top: Descriptor =
    index === undefined
      ? { mediaType: exact ? manifest.mediaType : OCI_MANIFEST, digest, size: bytes.length }
      : {
          mediaType: parseImageIndex(index.bytes).mediaType ?? OCI_INDEX,
          digest: index.digest,
          size: index.bytes.length,
        };
  const images =
    names.length === 0 ? [{ descriptor: top }] : names.map((name) => ({ descriptor: top, name }));
  return [
    bytesFile(OCI_LAYOUT_FILE, writeOciLayout()),
    bytesFile(OCI_LAYOUT_INDEX, writeLayoutIndex(images)),
    ...(index === undefined ? [] : [bytesFile(layoutBlobPath(index.digest), index.bytes)]),
    bytesFile(layoutBlobPath(digest), bytes),
    bytesFile(layoutBlobPath(manifest.imageId), config),
    ...blobs(store, record, manifest, exact, signal),
  ];
}

/** Whether an export has the original manifest: each layer's blob is kept, or is the plain tar itself, or no tar. */
export function hasExactBlobs(record: ImageRecord, manifest: ManifestRecord): boolean {
  const kept = new Set(record.keptBlobs.map(({ digest }) => digest));
  return manifest.layers.every(
    ({ digest, diffId, mediaType, root }) =>
      kept.has(digest) ||
      digest === diffId ||
      diffId === undefined ||
      (root === undefined && findMediaType(mediaType)?.foreign),
  );
}

function blobs(
  store: Store,
  record: ImageRecord,
  manifest: ManifestRecord,
  exact: boolean,
  signal: AbortSignal,
): ArchiveFile[] {
  const kept = new Map(record.keptBlobs.map((blob) => [blob.digest, blob]));
  const files = new Map<Digest, ArchiveFile>();
  for (const layer of manifest.layers) {
    if (layer.root === undefined) continue;
    const digest = exact ? layer.digest : (layer.diffId as Digest);
    const path = layoutBlobPath(digest);
    const blob = exact ? kept.get(digest) : undefined;
    if (blob !== undefined) files.set(digest, objectFile(store, path, CID.parse(blob.cid), blob.size));
    else if (layer.diffId === undefined)
      files.set(digest, objectFile(store, path, CID.parse(layer.root), layer.size));
    else files.set(digest, layerFile(store, path, layer, signal));
  }
  return [...files.values()];
}

function plainLayers(manifest: ManifestRecord): { diffId: Digest; size: number }[] {
  return manifest.layers.map((layer: LayerRecord) => ({
    diffId: layer.diffId as Digest,
    size: layer.tarSize as number,
  }));
}
