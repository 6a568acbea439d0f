import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ImageRecord } from '../../src/store/image-records.ts';
import { buildImage, dockerArchive, ociLayoutTar } from '../support/image-archive.ts';
import {
  attestation,
  BASE,
  imageBlobs,
  imageDescriptor,
  indexDescriptor,
  indexOf,
  layoutTar,
  smallImage,
  UPPER,
} from './support/images.ts';
import { suiteStation } from './support/suite-stations.ts';

const station = suiteStation();

// Never changed but together with the version of the format (docs/dag-format.md).
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/transfer/image-roots.json'), 'utf8'),
) as Record<string, unknown>;

const rootsOf = ({ root, publishedRoots, manifests }: ImageRecord) => ({
  publishedRoot: publishedRoots.at(-1),
  imageRoot: root,
  manifests: manifests.map(({ root: manifestRoot, digest, imageId, layers }) => ({
    digest,
    imageId,
    root: manifestRoot,
    layers: layers.map(({ root: layerRoot }) => layerRoot),
  })),
});

const plain = smallImage({ names: ['jbenet/go-ipfs:latest'] });
const proof = attestation(plain);
const index = indexOf([imageDescriptor(plain), proof.descriptor]);

// no compressors in it: their bytes differ between versions
const ARCHIVES: Record<string, Buffer> = {
  'docker-archive': dockerArchive([plain]),
  'oci-layout': ociLayoutTar([plain]),
  'oci-index-with-attestation': layoutTar(
    [indexDescriptor(index, { annotations: { 'io.containerd.image.name': 'docker.io/library/index:1' } })],
    [...imageBlobs(plain), ...proof.blobs, index],
  ),
  'no-layers': dockerArchive([buildImage({ layers: [], architecture: 'amd64' })]),
};

describe('roots of fixed images', () => {
  it.each(Object.keys(ARCHIVES))('%s', async (name) => {
    const { record } = await station.push(ARCHIVES[name] as Buffer);
    expect(rootsOf(record)).toEqual(golden[name]);
  });

  it('have one config and one set of layer roots by every way to an image', async () => {
    const gzip = smallImage({
      layers: [
        { entries: BASE, compression: 'gzip' },
        { entries: UPPER, compression: 'gzip' },
      ],
    });
    const ways = [
      dockerArchive([plain]),
      ociLayoutTar([plain]),
      ociLayoutTar([gzip]),
      gzipSync(dockerArchive([plain])),
    ];
    const found = [];
    for (const archive of ways) found.push((await station.push(archive)).record.manifests[0]!);
    expect(new Set(found.map(({ imageId }) => imageId))).toEqual(new Set([plain.imageId]));
    expect(new Set(found.map(({ layers }) => layers.map(({ root }) => root).join())).size).toBe(1);
    expect(found[0]!.root).toBe(found[3]!.root);
    expect(found[0]!.root).not.toBe(found[2]!.root);
  });
});
