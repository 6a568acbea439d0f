import { type Digest, digestHex } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { readJsonArray } from './json-document.ts';

/** Where the list of images stands in what `docker save` writes. */
export const DOCKER_ARCHIVE_MANIFEST = 'manifest.json';

/** One image of a docker-archive. Paths are as given: clean them, follow links (`archive-path.ts`). */
export interface DockerArchiveImage {
  readonly config: string;
  readonly repoTags: readonly string[];
  /** Bottom first. */
  readonly layers: readonly string[];
}

/**
 * Reads `manifest.json`.
 * @throws Fault `invalid/bad-document`, `invalid/bad-json`, `invalid/json-too-big`; `not-found/no-image-in-archive`
 *   where it lists none
 */
export function parseDockerArchiveManifest(bytes: Uint8Array): DockerArchiveImage[] {
  const images = readJsonArray(bytes, `docker-archive's ${DOCKER_ARCHIVE_MANIFEST}`).map((image) => ({
    config: image.string('Config'),
    repoTags: image.optionalStrings('RepoTags') ?? [],
    layers: image.optionalStrings('Layers') ?? [],
  }));
  if (images.length === 0) {
    throw new Fault('not-found', 'no-image-in-archive', 'the archive lists no image in its manifest.json');
  }
  return images;
}

/** The bytes of `manifest.json` for a `docker load`; untagged images have `null`, as the engine writes it. */
export function writeDockerArchiveManifest(images: readonly DockerArchiveImage[]): Buffer {
  const list = images.map(({ config, repoTags, layers }) => ({
    Config: config,
    RepoTags: repoTags.length === 0 ? null : repoTags,
    Layers: layers,
  }));
  return Buffer.from(JSON.stringify(list));
}

/** Where an export puts a config. */
export function archiveConfigPath(imageId: Digest): string {
  return `${digestHex(imageId)}.json`;
}

/** Where an export puts a layer's tar; a layer that two images have is written once. */
export function archiveLayerPath(diffId: Digest): string {
  return `${digestHex(diffId)}/layer.tar`;
}
