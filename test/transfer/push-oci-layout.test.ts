import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type BuiltImage, buildImage, ociLayoutTar, sha256Digest } from '../support/image-archive.ts';
import { layerTar } from '../support/layer-tar.ts';
import {
  artifact,
  attestation,
  BASE,
  descriptorOf,
  imageBlobs,
  imageDescriptor,
  indexDescriptor,
  indexOf,
  json,
  layoutTar,
  smallImage,
  UPPER,
} from './support/images.ts';
import { suiteStation } from './support/suite-stations.ts';
import { clear, faultOf } from './support/two-stations.ts';

const station = suiteStation();
afterEach(() => clear(station));

/** The image with its layers' blobs replaced: other compressions of the same tars. */
function recompressed(image: BuiltImage, pack: (tar: Buffer) => Buffer, mediaType: string): BuiltImage {
  const layers = image.layers.map((layer) => {
    const blob = pack(layer.tar);
    return { ...layer, blob, digest: sha256Digest(blob), mediaType };
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: image.manifestMediaType,
    config: descriptorOf('application/vnd.oci.image.config.v1+json', image.config),
    layers: layers.map(({ blob }) => descriptorOf(mediaType, blob)),
  });
  return { ...image, layers, manifest, manifestDigest: sha256Digest(manifest) };
}

const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
const ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';
const skippable = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('hello')]);
const halves = (tar: Buffer): [Buffer, Buffer] => [
  tar.subarray(0, tar.length >> 1),
  tar.subarray(tar.length >> 1),
];

const PACKERS: Record<string, { pack: (tar: Buffer) => Buffer; mediaType: string }> = {
  gzip: { pack: (tar) => gzipSync(tar), mediaType: GZIP },
  'several gzip members': {
    pack: (tar) => Buffer.concat(halves(tar).map((half) => gzipSync(half))),
    mediaType: GZIP,
  },
  zstd: { pack: (tar) => zstdCompressSync(tar), mediaType: ZSTD },
  'several zstd frames': {
    pack: (tar) => Buffer.concat(halves(tar).map((half) => zstdCompressSync(half))),
    mediaType: ZSTD,
  },
  'zstd with skippable frames first, between and last': {
    pack: (tar) => {
      const [first, second] = halves(tar).map((half) => zstdCompressSync(half)) as [Buffer, Buffer];
      return Buffer.concat([skippable, first, skippable, skippable, second, skippable]);
    },
    mediaType: ZSTD,
  },
};

describe('push of an OCI layout', () => {
  it.each(Object.entries(PACKERS))('reads layers of %s', async (_, { pack, mediaType }) => {
    const image = recompressed(smallImage(), pack, mediaType);
    const { record } = await station.push(ociLayoutTar([image]));
    expect(record.manifests[0]!.digest).toBe(image.manifestDigest);
    expect(record.manifests[0]!.layers.map(({ diffId }) => diffId)).toEqual(image.diffIds);
    expect(record.keptBlobs.map(({ digest }) => digest)).toEqual(image.layers.map(({ digest }) => digest));
    expect(record.names).toEqual(['small:1']);
  });

  it('gives one layer root and config however the layers are packed, and one image root for one manifest', async () => {
    const plain = smallImage();
    const roots = new Set<string>();
    const layerRoots = new Set<string>();
    for (const { pack, mediaType } of Object.values(PACKERS)) {
      const { record } = await station.push(ociLayoutTar([recompressed(plain, pack, mediaType)]));
      roots.add(record.root);
      layerRoots.add(record.manifests[0]!.layers.map(({ root }) => root).join());
      expect(record.manifests[0]!.imageId).toBe(plain.imageId);
    }
    expect(layerRoots.size).toBe(1);
    expect(roots.size).toBe(Object.keys(PACKERS).length);
    const again = await station.push(ociLayoutTar([recompressed(plain, (tar) => gzipSync(tar), GZIP)]));
    expect(roots.has(again.record.root)).toBe(true);
  });

  it('reads Docker media types and a layout that is itself compressed', async () => {
    const image = buildImage({
      layers: [{ entries: BASE, compression: 'gzip' }],
      mediaTypes: 'docker',
      architecture: 'amd64',
    });
    for (const archive of [gzipSync(ociLayoutTar([image])), zstdCompressSync(ociLayoutTar([image]))]) {
      const { record } = await station.push(archive);
      expect(record.manifests[0]).toMatchObject({
        digest: image.manifestDigest,
        mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      });
    }
  });

  it('takes whole multi-platform indexes with their attestations, or one platform', async () => {
    const amd = smallImage({ layers: [{ entries: BASE, compression: 'gzip' }] });
    const arm = smallImage({
      layers: [{ entries: UPPER, compression: 'gzip' }],
      architecture: 'arm64',
      variant: 'v8',
    });
    const proof = attestation(amd);
    const index = indexOf([imageDescriptor(amd), imageDescriptor(arm), proof.descriptor]);
    const archive = layoutTar(
      [indexDescriptor(index, { annotations: { 'org.opencontainers.image.ref.name': 'multi:1' } })],
      [...imageBlobs(amd), ...imageBlobs(arm), ...proof.blobs, index],
    );
    const { record } = await station.push(archive);
    expect(record.indexDigest).toBe(sha256Digest(index));
    expect(record.manifests.map(({ platform }) => platform)).toEqual([
      'linux/amd64',
      'linux/arm64',
      'unknown/unknown',
    ]);
    const [layer] = record.manifests[2]!.layers;
    expect(layer).toMatchObject({ digest: sha256Digest(proof.statement), size: proof.statement.length });
    expect(layer!.diffId).toBeUndefined();
    const { CID } = await import('multiformats/cid');
    const stored = await station.store.objects.read(
      CID.parse(layer!.root as string),
      0,
      proof.statement.length,
    );
    expect(stored.equals(proof.statement)).toBe(true);

    const one = await station.push(archive, { platform: 'linux/arm64' });
    expect(one.record.manifests.map(({ digest }) => digest)).toEqual([arm.manifestDigest]);
    expect(one.record.indexDigest).toBe(sha256Digest(index));
    const fault = await faultOf(station.push(archive, { platform: 'linux/s390x' }));
    expect(fault).toMatchObject({ kind: 'not-found', code: 'no-such-platform' });
    expect(fault.fields['have']).toEqual(['linux/amd64', 'linux/arm64/v8', 'unknown/unknown']);
  });

  it('follows an index inside an index', async () => {
    const amd = smallImage();
    const inner = indexOf([imageDescriptor(amd)]);
    const outer = indexOf([indexDescriptor(inner)]);
    const archive = layoutTar([indexDescriptor(outer)], [...imageBlobs(amd), inner, outer]);
    const { record } = await station.push(archive);
    expect(record.manifests.map(({ digest }) => digest)).toEqual([amd.manifestDigest]);
    expect(record.indexDigest).toBe(sha256Digest(outer));
  });

  it('refuses indexes that are nested without end', async () => {
    const amd = smallImage();
    const indexes = [indexOf([imageDescriptor(amd)])];
    for (let depth = 0; depth < 8; depth++)
      indexes.push(indexOf([indexDescriptor(indexes.at(-1) as Buffer)]));
    const archive = layoutTar([indexDescriptor(indexes.at(-1) as Buffer)], [...imageBlobs(amd), ...indexes]);
    expect(await faultOf(station.push(archive))).toMatchObject({ kind: 'invalid', code: 'index-too-deep' });
  });

  it('keeps artifacts as the exact bytes of their blobs', async () => {
    const payload = json({ critical: { identity: 'x' } });
    const tarBlob = layerTar(UPPER);
    const zipped = gzipSync(layerTar(BASE));
    const made = artifact(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json', [
      { bytes: payload, mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json' },
      { bytes: tarBlob, mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar' },
      { bytes: zipped, mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' },
    ]);
    const { record } = await station.push(layoutTar([made.descriptor()], made.blobs));
    expect(record.manifests[0]).toMatchObject({
      digest: sha256Digest(made.manifest),
      platform: 'unknown/unknown',
    });
    const { CID } = await import('multiformats/cid');
    for (const [number, bytes] of [payload, tarBlob, zipped].entries()) {
      const layer = record.manifests[0]!.layers[number]!;
      expect(layer).toMatchObject({ digest: sha256Digest(bytes), size: bytes.length });
      const stored = await station.store.objects.read(CID.parse(layer.root as string), 0, bytes.length + 1);
      expect(stored.equals(bytes)).toBe(true);
    }
    const fault = await faultOf(station.exportFile(record, 'docker-archive'));
    expect(fault).toMatchObject({ kind: 'unsupported', code: 'no-image-layers' });
  });

  it('leaves a foreign layer out whose bytes the layout does not hold', async () => {
    const image = smallImage();
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const manifest = json({
      schemaVersion: 2,
      mediaType: image.manifestMediaType,
      config: descriptorOf('application/vnd.oci.image.config.v1+json', image.config),
      layers: [
        { ...descriptorOf(foreign, gzipSync('elsewhere')), urls: ['https://example.com/layer'] },
        descriptorOf('application/vnd.oci.image.layer.v1.tar', image.layers[1]!.blob),
      ],
    });
    const { record } = await station.push(
      layoutTar(
        [descriptorOf(image.manifestMediaType, manifest)],
        [image.config, image.layers[1]!.blob, manifest],
      ),
    );
    const [first, second] = record.manifests[0]!.layers;
    expect(first).toMatchObject({ mediaType: foreign });
    expect(first!.root).toBeUndefined();
    expect(second).toMatchObject({ diffId: image.diffIds[1] });
    expect(second!.root).toBeDefined();
  });

  it('says which manifests of an index the layout does not hold', async () => {
    const amd = smallImage();
    const arm = smallImage({ architecture: 'arm64' });
    const index = indexOf([imageDescriptor(amd), imageDescriptor(arm)]);
    const archive = layoutTar([indexDescriptor(index)], [...imageBlobs(amd), index]);
    station.notes.length = 0;
    const { record } = await station.push(archive);
    expect(record.manifests.map(({ digest }) => digest)).toEqual([amd.manifestDigest]);
    expect(station.notes).toEqual([`not in the source, left out: linux/arm64 ${arm.manifestDigest}`]);
    expect(await faultOf(station.push(archive, { platform: 'linux/arm64' }))).toMatchObject({
      kind: 'corrupt',
      code: 'missing-file',
      fields: { path: `blobs/sha256/${arm.manifestDigest.slice(7)}` },
    });
  });

  it('lists the images of a layout that holds several, and takes the one named', async () => {
    const one = smallImage({ names: ['one:1'] });
    const two = buildImage({ layers: [UPPER], names: ['quay.io/x/two:2'], architecture: 'amd64' });
    const archive = ociLayoutTar([one, two]);
    const fault = await faultOf(station.push(archive));
    expect(fault).toMatchObject({ kind: 'invalid', code: 'several-images' });
    expect(fault.fields['images']).toEqual(['docker.io/library/one:1', 'quay.io/x/two:2']);
    const named = await station.push(archive, { image: 'quay.io/x/two:2' });
    expect(named.record.manifests[0]!.digest).toBe(two.manifestDigest);
    const byDigest = await station.push(archive, { expectedId: one.manifestDigest });
    expect(byDigest.record.manifests[0]!.digest).toBe(one.manifestDigest);
    const byImageId = await station.push(archive, { expectedId: two.imageId });
    expect(byImageId.record.manifests[0]!.digest).toBe(two.manifestDigest);
    expect(await faultOf(station.push(archive, { image: 'none' }))).toMatchObject({
      kind: 'not-found',
      code: 'no-image-in-archive',
    });
  });

  it('takes a layout whose own index lists one image for several platforms', async () => {
    const amd = smallImage({ names: [] });
    const arm = smallImage({ names: [], architecture: 'arm64' });
    const { record } = await station.push(ociLayoutTar([amd, arm]));
    expect(record.manifests.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
  });
});
