import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import type { Descriptor } from '../image/oci/descriptor.ts';
import { parseImageConfig } from '../image/oci/image-config.ts';
import { type ImageIndex, isNestedIndex, parseImageIndex } from '../image/oci/image-index.ts';
import { parseImageManifest } from '../image/oci/image-manifest.ts';
import { findMediaType, isLayerTar } from '../image/oci/media-types.ts';
import { layoutBlobPath } from '../image/oci/oci-layout.ts';
import { bestPlatform, formatPlatform, parsePlatform } from '../image/oci/platform.ts';
import type { Archive } from './archive.ts';
import type { ImportedBlob } from './blob-import.ts';
import { platformText } from './platform-text.ts';
import { checkDiffId, checkLayerCount, missingFile, noJson } from './source-checks.ts';
import type { SourceImage, SourceLayer, SourceManifest } from './source-image.ts';
import type { TransferLimits } from './transfer-limits.ts';

const MAX_INDEX_DEPTH = 4;

/** An index that is not a blob of the layout but the layout's own. */
interface OwnIndex {
  readonly bytes: Uint8Array;
  readonly index: ImageIndex;
}

/**
 * Reads the image that a descriptor of a layout names, all of its digests checked.
 * @throws Fault `corrupt/missing-file`, `corrupt/digest-mismatch`, `corrupt/diffid-mismatch`,
 *   `not-found/no-such-platform`
 */
export function readSourceImage(
  archive: Archive,
  from: Descriptor | OwnIndex,
  names: readonly string[],
  platform: string | undefined,
  limits: TransferLimits,
): SourceImage {
  const own = 'index' in from ? from : undefined;
  if (own === undefined && !isNestedIndex(from as Descriptor)) {
    return { manifests: [readManifest(archive, from as Descriptor, limits)], names, missing: [] };
  }
  const bytes = own?.bytes ?? jsonBlob(archive, from as Descriptor);
  const listed = flatten(archive, own?.index ?? parseImageIndex(bytes), limits, 0);
  const wanted = choosePlatform(listed, platform);
  const here = wanted.filter(({ digest }) => archive.find(layoutBlobPath(digest)) !== undefined);
  if (here.length === 0) throw missingFile(layoutBlobPath((wanted[0] as Descriptor).digest));
  const missing = wanted.filter((descriptor) => !here.includes(descriptor));
  return {
    index: bytes,
    manifests: here.map((descriptor) => readManifest(archive, descriptor, limits)),
    names,
    missing: missing.map(
      ({ digest, platform: of }) => `${of === undefined ? '' : `${formatPlatform(of)} `}${digest}`,
    ),
  };
}

function flatten(archive: Archive, index: ImageIndex, limits: TransferLimits, depth: number): Descriptor[] {
  if (depth > MAX_INDEX_DEPTH)
    throw new Fault('invalid', 'index-too-deep', 'the indexes of the image are nested too deep');
  const found = new Map<Digest, Descriptor>();
  for (const descriptor of index.manifests) {
    const nested = isNestedIndex(descriptor) && archive.find(layoutBlobPath(descriptor.digest)) !== undefined;
    const all = nested
      ? flatten(archive, parseImageIndex(jsonBlob(archive, descriptor)), limits, depth + 1)
      : [descriptor];
    for (const one of all) found.set(one.digest, one);
    if (found.size > limits.manifests) {
      throw new Fault(
        'invalid',
        'too-many-manifests',
        `the index names more than ${limits.manifests} manifests (limits.manifests)`,
      );
    }
  }
  return [...found.values()];
}

function choosePlatform(listed: readonly Descriptor[], platform: string | undefined): readonly Descriptor[] {
  if (platform === undefined || platform === 'all') return listed;
  const best = bestPlatform(parsePlatform(platform), listed);
  if (best !== undefined) return [best];
  const have = listed.flatMap(({ platform: of }) => (of === undefined ? [] : [formatPlatform(of)]));
  throw new Fault(
    'not-found',
    'no-such-platform',
    `the image has no manifest for ${platform}; it has ${have.join(', ')}`,
    {
      fields: { platform, have },
    },
  );
}

function readManifest(archive: Archive, descriptor: Descriptor, limits: TransferLimits): SourceManifest {
  const bytes = jsonBlob(archive, descriptor);
  const manifest = parseImageManifest(bytes);
  checkLayerCount(manifest.layers.length, limits);
  const config = jsonBlob(archive, manifest.config);
  const isImage = findMediaType(manifest.config.mediaType)?.kind === 'config';
  const parsed = isImage ? parseImageConfig(config) : undefined;
  const diffIds = parsed?.diffIds;
  const tars = manifest.layers.filter(({ mediaType }) => isLayerTar(mediaType));
  const describesLayers = diffIds !== undefined && tars.length === manifest.layers.length && tars.length > 0;
  if (describesLayers && diffIds.length !== manifest.layers.length) {
    throw new Fault(
      'corrupt',
      'bad-config',
      `manifest ${descriptor.digest} has ${manifest.layers.length} layers, its config ${diffIds.length}`,
      { fields: { manifest: descriptor.digest } },
    );
  }
  const layers = manifest.layers.map((layer, number): SourceLayer => {
    const source = readLayer(archive, layer);
    const { blob } = source;
    if (describesLayers && blob !== undefined) {
      if (blob.kind !== 'layer')
        throw new Fault('corrupt', 'bad-layer', `layer ${layer.digest}: it is no tar`, {
          fields: { layer: layer.digest },
        });
      checkDiffId(`layer ${layer.digest}`, blob.layer.diffId, diffIds[number] as Digest);
    }
    return source;
  });
  const platform = descriptor.platform ?? parsed?.platform;
  return {
    bytes,
    mediaType: manifest.mediaType,
    config: { bytes: config, digest: manifest.config.digest, mediaType: manifest.config.mediaType },
    platform: platformText(platform),
    ...(describesLayers ? { diffIds } : {}),
    layers,
  };
}

function readLayer(archive: Archive, { digest, mediaType, size }: Descriptor): SourceLayer {
  const blob = archive.find(layoutBlobPath(digest));
  if (blob === undefined) {
    if (findMediaType(mediaType)?.foreign) return { digest, mediaType, size };
    throw missingFile(layoutBlobPath(digest));
  }
  checkBlob(blob, digest, size);
  return { digest, mediaType, size, blob };
}

function jsonBlob(archive: Archive, { digest, size }: Descriptor): Uint8Array {
  const path = layoutBlobPath(digest);
  const blob = archive.find(path);
  if (blob === undefined) throw missingFile(path);
  checkBlob(blob, digest, size);
  if (blob.kind !== 'small') throw noJson(path, blob);
  return blob.bytes;
}

function checkBlob(blob: ImportedBlob, digest: Digest, size: number): void {
  if (blob.digest === digest && blob.size === size) return;
  throw new Fault(
    'corrupt',
    'digest-mismatch',
    `the archive names ${digest} (${size} bytes), but what it holds there is ${blob.digest} (${blob.size} bytes)`,
    { fields: { claimed: digest, found: blob.digest } },
  );
}
