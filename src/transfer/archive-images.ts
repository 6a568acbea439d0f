import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { canonicalManifest } from '../image/oci/canonical-manifest.ts';
import type { Descriptor } from '../image/oci/descriptor.ts';
import {
  DOCKER_ARCHIVE_MANIFEST,
  type DockerArchiveImage,
  parseDockerArchiveManifest,
} from '../image/oci/docker-archive.ts';
import { parseImageConfig } from '../image/oci/image-config.ts';
import { isNestedIndex, parseImageIndex } from '../image/oci/image-index.ts';
import { parseImageManifest } from '../image/oci/image-manifest.ts';
import { OCI_CONFIG, OCI_LAYER_TAR, OCI_MANIFEST } from '../image/oci/media-types.ts';
import {
  checkOciLayout,
  layoutBlobPath,
  layoutImageName,
  OCI_LAYOUT_FILE,
  OCI_LAYOUT_INDEX,
} from '../image/oci/oci-layout.ts';
import { formatPlatform, normalizePlatform } from '../image/oci/platform.ts';
import type { Archive } from './archive.ts';
import type { ImportedBlob } from './blob-import.ts';
import { readSourceImage } from './layout-image.ts';
import { platformText } from './platform-text.ts';
import { checkDiffId, checkLayerCount, missingFile, noJson } from './source-checks.ts';
import type { SourceImage, SourceManifest } from './source-image.ts';
import type { TransferLimits } from './transfer-limits.ts';

/** Which of an archive's images is meant. */
export interface ImageChoice {
  /** The image ID, manifest or index digest that it must have. */
  readonly expectedId?: Digest | undefined;
  /** A tag or name in a layout (`oci:./dir:tag`). */
  readonly name?: string | undefined;
  /** `os/arch[/variant]`: only this manifest; `all` or absent: every one that the archive holds. */
  readonly platform?: string | undefined;
}

/**
 * The image of an archive that was read. A docker-archive whose layers are plain tars gets the canonical manifest,
 * whatever manifest it carries, so that archives of all Docker versions share one root; otherwise an OCI layout's own
 * manifests count.
 * @throws Fault `corrupt/bad-archive`, `not-found/no-image-in-archive`, `invalid/several-images`, `corrupt/…`
 */
export function readArchiveImage(archive: Archive, choice: ImageChoice, limits: TransferLimits): SourceImage {
  const manifestJson = smallFile(archive, DOCKER_ARCHIVE_MANIFEST);
  const layoutIndex = smallFile(archive, OCI_LAYOUT_INDEX);
  const docker = manifestJson === undefined ? undefined : chooseDockerImage(archive, manifestJson, choice);
  if (docker !== undefined && (layoutIndex === undefined || hasPlainLayers(archive, docker))) {
    return dockerArchiveImage(archive, docker, limits);
  }
  if (layoutIndex !== undefined) {
    const layout = smallFile(archive, OCI_LAYOUT_FILE);
    if (layout !== undefined) checkOciLayout(layout);
    return layoutImage(archive, layoutIndex, choice, limits);
  }
  if (manifestJson !== undefined) {
    const images = parseDockerArchiveManifest(manifestJson);
    throw noSuchImage(
      choice,
      images.map(({ config, repoTags }) => repoTags[0] ?? config),
    );
  }
  throw new Fault(
    'corrupt',
    'bad-archive',
    'the archive has neither manifest.json (docker save) nor index.json (OCI layout): it is no image, or it was cut short',
  );
}

function chooseDockerImage(
  archive: Archive,
  bytes: Uint8Array,
  choice: ImageChoice,
): DockerArchiveImage | undefined {
  const images = parseDockerArchiveManifest(bytes);
  const matching = images.filter((image) => matches(archive, image, choice));
  if (matching.length === 1) return matching[0];
  if (matching.length > 1)
    throw severalImages(matching.flatMap(({ config, repoTags }) => repoTags[0] ?? config));
  return undefined;
}

function matches(archive: Archive, image: DockerArchiveImage, { expectedId, name }: ImageChoice): boolean {
  if (name !== undefined) return image.repoTags.some((tag) => tag === name || tag === `${name}:latest`);
  if (expectedId === undefined) return true;
  // a containerd store names an image by its manifest or index digest: then the layout's index decides
  return archive.find(image.config)?.digest === expectedId;
}

function hasPlainLayers(archive: Archive, image: DockerArchiveImage): boolean {
  return image.layers.every((path) => {
    const blob = archive.find(path);
    return blob?.kind === 'layer' && blob.compression === 'none';
  });
}

function dockerArchiveImage(
  archive: Archive,
  image: DockerArchiveImage,
  limits: TransferLimits,
): SourceImage {
  const config = smallFile(archive, image.config);
  if (config === undefined) throw missingFile(image.config);
  const parsed = parseImageConfig(config);
  if (parsed === undefined) throw badConfig(image.config, 'it has no rootfs.diff_ids');
  checkLayerCount(image.layers.length, limits);
  if (parsed.diffIds.length !== image.layers.length) {
    throw badConfig(
      image.config,
      `it names ${parsed.diffIds.length} layers, the archive ${image.layers.length}`,
    );
  }
  const layers = image.layers.map((path, number) => {
    const blob = archive.find(path);
    if (blob === undefined) throw missingFile(path);
    if (blob.kind !== 'layer')
      throw new Fault('corrupt', 'bad-layer', `${path}: it is no tar`, { fields: { layer: path } });
    const diffId = parsed.diffIds[number] as Digest;
    checkDiffId(path, blob.layer.diffId, diffId);
    return { digest: diffId, mediaType: OCI_LAYER_TAR, size: blob.layer.tarSize, blob };
  });
  const imageId = (archive.find(image.config) as ImportedBlob).digest;
  const bytes = canonicalManifest(
    { digest: imageId, size: config.length },
    layers.map(({ digest, size }) => ({ diffId: digest, size })),
  );
  const manifest: SourceManifest = {
    bytes,
    mediaType: OCI_MANIFEST,
    config: { bytes: config, digest: imageId, mediaType: OCI_CONFIG },
    platform: platformText(parsed.platform),
    diffIds: parsed.diffIds,
    layers,
  };
  return { manifests: [manifest], names: image.repoTags, missing: [] };
}

function layoutImage(
  archive: Archive,
  bytes: Uint8Array,
  choice: ImageChoice,
  limits: TransferLimits,
): SourceImage {
  const index = parseImageIndex(bytes);
  const chosen = index.manifests.filter((descriptor) => isChosen(archive, descriptor, choice));
  const digests = new Set(chosen.map(({ digest }) => digest));
  if (digests.size === 0) throw noSuchImage(choice, index.manifests.map(describe));
  const names = chosen.map(layoutImageName).filter((name) => name !== undefined);
  if (digests.size === 1)
    return readSourceImage(archive, chosen[0] as Descriptor, names, choice.platform, limits);
  // several manifests that differ by platform alone: the layout's index is the image's
  const platforms = new Set(
    chosen.map(({ platform }) => platform && formatPlatform(normalizePlatform(platform))),
  );
  if (platforms.has(undefined) || platforms.size !== digests.size) throw severalImages(chosen.map(describe));
  return readSourceImage(archive, { bytes, index }, names, choice.platform, limits);
}

function isChosen(archive: Archive, descriptor: Descriptor, { expectedId, name }: ImageChoice): boolean {
  if (name !== undefined) {
    const given = Object.values(descriptor.annotations ?? {});
    return (
      given.includes(name) || given.some((value) => value.endsWith(`:${name}`) || value.endsWith(`/${name}`))
    );
  }
  return (
    expectedId === undefined ||
    descriptor.digest === expectedId ||
    holdsImageId(archive, descriptor, expectedId, 0)
  );
}

/** An engine whose store names images by their configs may have written the layout. */
function holdsImageId(archive: Archive, descriptor: Descriptor, imageId: Digest, depth: number): boolean {
  const bytes = smallFile(archive, layoutBlobPath(descriptor.digest));
  if (bytes === undefined || depth > 1) return false;
  if (!isNestedIndex(descriptor)) return parseImageManifest(bytes).config.digest === imageId;
  return parseImageIndex(bytes).manifests.some((one) => holdsImageId(archive, one, imageId, depth + 1));
}

const describe = (descriptor: Descriptor): string => layoutImageName(descriptor) ?? descriptor.digest;

function noSuchImage({ expectedId, name }: ImageChoice, images: readonly string[]): Fault {
  return new Fault(
    'not-found',
    'no-image-in-archive',
    `the archive holds no image ${expectedId ?? JSON.stringify(name ?? '')}: it has ${images.join(', ') || 'none'}`,
    { fields: { image: expectedId ?? name, images } },
  );
}

/** @throws Fault `invalid/json-too-big` where it is no short file: nothing that is asked for here may be longer */
function smallFile(archive: Archive, path: string): Uint8Array | undefined {
  const blob = archive.find(path);
  if (blob === undefined) return undefined;
  if (blob.kind !== 'small') throw noJson(path, blob);
  return blob.bytes;
}

function badConfig(path: string, why: string): Fault {
  return new Fault('corrupt', 'bad-config', `image config ${path}: ${why}`, { fields: { path } });
}

function severalImages(names: readonly string[]): Fault {
  return new Fault(
    'invalid',
    'several-images',
    `the archive holds several images: ${names.join(', ')}; name one`,
    {
      fields: { images: names },
    },
  );
}
