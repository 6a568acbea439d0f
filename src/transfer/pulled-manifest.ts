import type { CID } from 'multiformats/cid';
import { type Digest, digestOfBytes } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { readNode } from '../image/dag/dag-node.ts';
import type { GetBlock } from '../image/dag/directory-walk.ts';
import { jsonFile, MAX_JSON, readImageRoot, readManifestRoot } from '../image/dag/image-roots.ts';
import { parseImageConfig } from '../image/oci/image-config.ts';
import { parseImageIndex } from '../image/oci/image-index.ts';
import { type ImageManifest, parseImageManifest } from '../image/oci/image-manifest.ts';
import { findMediaType, isLayerTar } from '../image/oci/media-types.ts';
import {
  bestPlatform,
  formatPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
} from '../image/oci/platform.ts';
import { platformText } from './platform-text.ts';
import type { TransferLimits } from './transfer-limits.ts';

export interface PulledLayer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** Where the layer is a tar of a config with diffIDs. */
  readonly diffId?: Digest;
  /** Layer root, or the file of a blob that is no layer; absent: a foreign layer without bytes. */
  readonly root?: CID;
}

/** A manifest root read and checked against its own digests. */
export interface PulledManifest {
  readonly root: CID;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly imageId: Digest;
  readonly platform: string;
  readonly layers: readonly PulledLayer[];
  /** manifest.json and config.json: to be stored. */
  readonly documents: readonly Uint8Array[];
}

export interface PulledImage {
  readonly index?: Uint8Array;
  readonly indexDigest?: Digest;
  readonly manifests: readonly PulledManifest[];
}

/** The exact bytes of index, manifests and configs: to be stored. */
export function documentsOf(image: PulledImage): Uint8Array[] {
  const all = image.manifests.flatMap((manifest) => manifest.documents);
  return image.index === undefined ? all : [image.index, ...all];
}

/**
 * Reads the manifests of an image root that are wanted.
 * @param platform `os/arch[/variant]` or `all`
 * @throws Fault `not-found/no-such-platform`, `corrupt/bad-root`, `corrupt/digest-mismatch`
 */
export function readPulledImage(
  imageRoot: CID,
  platform: string,
  get: GetBlock,
  limits: TransferLimits,
): PulledImage {
  const shape = readImageRoot(imageRoot, get);
  const index = shape.indexJson === undefined ? undefined : readJson(shape.indexJson, get);
  const platforms = new Map<Digest, Platform>();
  if (index !== undefined) {
    for (const descriptor of parseImageIndex(index).manifests) {
      if (descriptor.platform !== undefined) platforms.set(descriptor.digest, descriptor.platform);
    }
  }
  if (shape.manifests.size > limits.manifests) {
    throw new Fault(
      'invalid',
      'too-many-manifests',
      `the image has ${shape.manifests.size} manifests, at most ${limits.manifests} (limits.manifests)`,
    );
  }
  const read = (digest: Digest): PulledManifest =>
    readManifest(digest, shape.manifests.get(digest) as CID, platforms.get(digest), get, limits);
  const wanted = chooseDigests(
    [...shape.manifests.keys()],
    index === undefined ? undefined : platforms,
    platform,
    (digest) => read(digest).platform,
  );
  return {
    ...(index === undefined ? {} : { index, indexDigest: digestOfBytes(index) }),
    manifests: wanted.map(read),
  };
}

/**
 * The manifests that are wanted, whether they are here or not: one that happens to be here is no reason to take it for
 * a better one. The only manifest is taken whatever its platform, as engines do with an image that has no index.
 * @param platformOf of one that the index does not tell, from its config
 */
function chooseDigests(
  digests: readonly Digest[],
  listed: ReadonlyMap<Digest, Platform> | undefined,
  platform: string,
  platformOf: (digest: Digest) => string,
): readonly Digest[] {
  if (platform === 'all' || (digests.length === 1 && listed === undefined)) return digests;
  const told = digests.filter((digest) => listed?.has(digest));
  const candidates = (told.length > 0 ? told : digests).map((digest) => ({
    digest,
    platform: listed?.get(digest) ?? parsePlatform(platformOf(digest)),
  }));
  const best = bestPlatform(parsePlatform(platform), candidates);
  if (best !== undefined) return [best.digest];
  const have = candidates.map((candidate) => formatPlatform(normalizePlatform(candidate.platform)));
  throw new Fault(
    'not-found',
    'no-such-platform',
    `the image has no manifest for ${platform}; it has ${have.join(', ') || 'none'} (choose one with --platform)`,
    { fields: { platform, have } },
  );
}

function readManifest(
  digest: Digest,
  root: CID,
  listed: Platform | undefined,
  get: GetBlock,
  limits: TransferLimits,
): PulledManifest {
  const shape = readManifestRoot(root, get);
  const bytes = readJson(shape.manifestJson, get);
  checkDigest(root, digest, bytes);
  const manifest = parseImageManifest(bytes);
  if (manifest.layers.length > limits.layers) {
    throw new Fault(
      'invalid',
      'too-many-layers',
      `the image has ${manifest.layers.length} layers, at most ${limits.layers} (limits.layers)`,
    );
  }
  if (shape.configJson === undefined) throw badRoot(root, 'it has no config.json');
  const config = readJson(shape.configJson, get);
  checkDigest(root, manifest.config.digest, config);
  const isImage = findMediaType(manifest.config.mediaType)?.kind === 'config';
  const parsed = isImage ? parseImageConfig(config) : undefined;
  const platform = listed ?? parsed?.platform;
  return {
    root,
    digest,
    mediaType: manifest.mediaType,
    imageId: manifest.config.digest,
    platform: platformText(platform),
    layers: readLayers(root, manifest, shape.layers, parsed?.diffIds),
    documents: [bytes, config],
  };
}

function readLayers(
  root: CID,
  manifest: ImageManifest,
  roots: readonly (CID | undefined)[],
  diffIds: readonly Digest[] | undefined,
): PulledLayer[] {
  const describesLayers =
    diffIds !== undefined &&
    manifest.layers.length > 0 &&
    manifest.layers.every(({ mediaType }) => isLayerTar(mediaType));
  if (describesLayers && diffIds.length !== manifest.layers.length) {
    throw badRoot(root, `its manifest has ${manifest.layers.length} layers, its config ${diffIds.length}`);
  }
  return manifest.layers.map(({ digest, mediaType, size }, number) => {
    const layerRoot = roots[number];
    if (layerRoot === undefined && !findMediaType(mediaType)?.foreign)
      throw badRoot(root, `layer ${number} is missing`);
    return {
      digest,
      mediaType,
      size,
      ...(describesLayers && layerRoot !== undefined ? { diffId: diffIds[number] as Digest } : {}),
      ...(layerRoot === undefined ? {} : { root: layerRoot }),
    };
  });
}

function readJson(cid: CID, get: GetBlock): Uint8Array {
  const bytes = get(cid);
  if (bytes === undefined) throw badRoot(cid, 'it is not here');
  const node = readNode(cid, bytes);
  if (node.kind === 'raw') return bytes;
  if (node.kind !== 'file' || node.size > MAX_JSON)
    throw badRoot(cid, 'it is no JSON document of at most 4 MiB');
  const whole = Buffer.concat(node.links.map(({ cid: leaf }) => get(leaf) ?? new Uint8Array(0)));
  if (jsonFile(whole).cid.toString() !== cid.toString()) throw badRoot(cid, 'its parts are not here');
  return whole;
}

function checkDigest(root: CID, claimed: Digest, bytes: Uint8Array): void {
  const found = digestOfBytes(bytes);
  if (found === claimed) return;
  throw new Fault(
    'corrupt',
    'digest-mismatch',
    `manifest root ${root} names ${claimed}, but holds ${found}`,
    {
      fields: { root: root.toString(), claimed, found },
    },
  );
}

function badRoot(root: CID, why: string): Fault {
  return new Fault('corrupt', 'bad-root', `${root}: ${why}`, { fields: { root: root.toString() } });
}
