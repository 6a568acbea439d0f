import { CID } from 'multiformats/cid';
import { type Digest, digestOfBytes } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
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

/**
 * An OCI layout: with the publisher's manifest where every blob it names can be given, else the canonical one. Of
 * several platforms only the publisher's own index can tell.
 * @throws Fault `unsupported/blobs-not-kept`
 */
export function ociArchiveFiles(
  store: Store,
  record: ImageRecord,
  manifests: readonly [ManifestRecord, ...ManifestRecord[]],
  names: readonly string[],
  signal: AbortSignal,
): ArchiveFile[] {
  const inexact = manifests.find((manifest) => !hasExactBlobs(record, manifest));
  if (inexact !== undefined && manifests.length > 1) throw blobsNotKept(record, inexact);
  const index = inexact === undefined ? indexJson(store, record) : undefined;
  const parts = manifests.map((manifest) => archivePart(store, record, manifest, signal));
  const top: Descriptor =
    index === undefined
      ? (parts[0] as ArchivePart).descriptor
      : {
          mediaType: parseImageIndex(index.bytes).mediaType ?? OCI_INDEX,
          digest: index.digest,
          size: index.bytes.length,
        };
  const images =
    names.length === 0 ? [{ descriptor: top }] : names.map((name) => ({ descriptor: top, name }));
  const files = [
    bytesFile(OCI_LAYOUT_FILE, writeOciLayout()),
    bytesFile(OCI_LAYOUT_INDEX, writeLayoutIndex(images)),
    ...(index === undefined ? [] : [bytesFile(layoutBlobPath(index.digest), index.bytes)]),
    ...parts.flatMap((part) => part.files),
  ];
  // Platforms share blobs.
  return [...new Map(files.map((file) => [file.name, file])).values()];
}

interface ArchivePart {
  readonly descriptor: Descriptor;
  readonly files: readonly ArchiveFile[];
}

/** The manifest, config and blobs of one platform. */
function archivePart(
  store: Store,
  record: ImageRecord,
  manifest: ManifestRecord,
  signal: AbortSignal,
): ArchivePart {
  const { manifest: original, config } = manifestDocuments(store, manifest);
  const exact = hasExactBlobs(record, manifest);
  const bytes = exact
    ? original
    : canonicalManifest({ digest: manifest.imageId, size: config.length }, plainLayers(manifest));
  const digest = digestOfBytes(bytes);
  return {
    descriptor: { mediaType: exact ? manifest.mediaType : OCI_MANIFEST, digest, size: bytes.length },
    files: [
      bytesFile(layoutBlobPath(digest), bytes),
      bytesFile(layoutBlobPath(manifest.imageId), config),
      ...blobs(store, record, manifest, exact, signal),
    ],
  };
}

function blobsNotKept(record: ImageRecord, { platform }: ManifestRecord): Fault {
  return new Fault(
    'unsupported',
    'blobs-not-kept',
    `the compressed blobs for ${platform} are not kept here: an archive of several platforms needs them; name one platform`,
    { fields: { image: record.root, platform } },
  );
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
