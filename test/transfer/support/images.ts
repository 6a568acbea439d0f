import { bytesOf } from '../../store/store-fixture.ts';
import { type BuiltImage, buildImage, type ImageSpec, sha256Digest } from '../../support/image-archive.ts';
import {
  directory,
  file,
  hardlink,
  type LayerEntry,
  layerTar,
  opaque,
  symlink,
  whiteout,
} from '../../support/layer-tar.ts';

export const BASE: readonly LayerEntry[] = [
  directory('bin'),
  file('bin/sh', bytesOf(1, 90_000), { mode: 0o755 }),
  symlink('bin/ash', 'sh'),
  hardlink('bin/dash', 'bin/sh'),
  directory('etc'),
  file('etc/os-release', 'NAME=test\n'),
  file('etc/empty'),
  file('lib/big.so', bytesOf(2, 700_000), { mode: 0o644 }),
];

export const UPPER: readonly LayerEntry[] = [
  file('etc/motd', 'hello\n', { uid: 1000, gid: 1000, xattrs: { 'user.note': 'x' } }),
  file('lib/copy.so', bytesOf(2, 700_000)),
  file('srv/data', bytesOf(3, 300_000)),
  whiteout('etc/os-release'),
  opaque('var'),
];

/** Two layers of some files, linux/amd64 whatever machine runs the tests. */
export function smallImage(spec: Partial<ImageSpec> = {}): BuiltImage {
  return buildImage({ architecture: 'amd64', layers: [BASE, UPPER], names: ['small:1'], ...spec });
}

/** One layer of two small files. */
export const tiny = buildImage({
  architecture: 'amd64',
  layers: [[file('a', 'x'), file('b', bytesOf(4, 5000))]],
  names: ['s:1'],
});

const INDEX = 'application/vnd.oci.image.index.v1+json';

export const blobFile = (bytes: Uint8Array): LayerEntry =>
  file(`blobs/sha256/${sha256Digest(bytes).slice(7)}`, bytes);

export interface TestDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const descriptorOf = (mediaType: string, bytes: Uint8Array, rest: object = {}): TestDescriptor => ({
  mediaType,
  digest: sha256Digest(bytes),
  size: bytes.length,
  ...rest,
});

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

export const indexOf = (manifests: readonly TestDescriptor[]): Buffer =>
  json({ schemaVersion: 2, mediaType: INDEX, manifests });

export const imageDescriptor = (image: BuiltImage, rest: object = {}): TestDescriptor =>
  descriptorOf(image.manifestMediaType, image.manifest, { platform: image.platform, ...rest });

export const indexDescriptor = (index: Uint8Array, rest: object = {}): TestDescriptor =>
  descriptorOf(INDEX, index, rest);

export const imageBlobs = (image: BuiltImage): Uint8Array[] => [
  ...image.layers.map(({ blob }) => blob),
  image.config,
  image.manifest,
];

/** An OCI layout tar of these blobs, `index.json` naming `top`. */
export function layoutTar(top: readonly TestDescriptor[], blobs: readonly Uint8Array[]): Buffer {
  const unique = new Map(blobs.map((bytes) => [sha256Digest(bytes), bytes]));
  return layerTar([
    directory('blobs'),
    directory('blobs/sha256'),
    ...[...unique.values()].map(blobFile),
    file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
    file('index.json', indexOf(top)),
  ]);
}

/** Any blobs as an OCI manifest: attestations, signatures. */
export function artifact(
  config: Uint8Array,
  configType: string,
  layers: readonly { bytes: Uint8Array; mediaType: string }[],
) {
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptorOf(configType, config),
    layers: layers.map(({ bytes, mediaType }) => descriptorOf(mediaType, bytes)),
  });
  return {
    manifest,
    blobs: [config, ...layers.map(({ bytes }) => bytes), manifest],
    descriptor: (rest: object = {}) =>
      descriptorOf('application/vnd.oci.image.manifest.v1+json', manifest, rest),
  };
}

/** What BuildKit puts beside an image. */
export function attestation(of: BuiltImage) {
  const statement = json({
    _type: 'https://in-toto.io/Statement/v0.1',
    subject: of.manifestDigest,
    pad: 'x'.repeat(400_000),
  });
  const config = json({
    architecture: 'unknown',
    os: 'unknown',
    rootfs: { type: 'layers', diff_ids: [sha256Digest(statement)] },
  });
  const made = artifact(config, 'application/vnd.oci.image.config.v1+json', [
    { bytes: statement, mediaType: 'application/vnd.in-toto+json' },
  ]);
  const descriptor = made.descriptor({
    platform: { architecture: 'unknown', os: 'unknown' },
    annotations: {
      'vnd.docker.reference.digest': of.manifestDigest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  });
  return { ...made, statement, descriptor };
}
