import { CID } from 'multiformats/cid';
import { readNode } from '../../src/image/dag/dag-node.ts';
import { canonicalManifest } from '../../src/image/oci/canonical-manifest.ts';
import { parseImageManifest } from '../../src/image/oci/image-manifest.ts';
import type { ImageRecord } from '../../src/store/image-records.ts';
import type { Store } from '../../src/store/store.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { type BuiltImage, dockerArchive, ociLayoutTar, sha256Digest } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { archiveFiles } from './support/archive-files.ts';
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
import { suitePair } from './support/suite-stations.ts';
import { clear, faultOf } from './support/two-stations.ts';

const { a, b } = suitePair();
afterEach(() => {
  a.settings.keepBlobs = 'auto';
});

const gzipped = smallImage({
  layers: [
    { entries: BASE, compression: 'gzip' },
    { entries: UPPER, compression: 'zstd' },
  ],
  names: ['packed:1'],
});

function expectDockerArchive(archive: Uint8Array, image: BuiltImage): void {
  const files = archiveFiles(archive);
  const [entry] = JSON.parse(files.get('manifest.json')!.toString());
  expect(entry.RepoTags).toEqual(image.names.length === 0 ? null : image.names);
  expect(sha256Digest(files.get(entry.Config) as Buffer)).toBe(image.imageId);
  const layers = (entry.Layers as string[]).map((path) => files.get(path) as Buffer);
  expect(layers.map(sha256Digest)).toEqual(image.diffIds);
}

/** Every blob that the layout's index leads to, each hashing to its name; what the index says of its first image. */
function readLayout(archive: Uint8Array) {
  const files = archiveFiles(archive);
  for (const [path, bytes] of files) {
    if (path.startsWith('blobs/')) expect(sha256Digest(bytes)).toBe(`sha256:${path.slice(13)}`);
  }
  const blob = (digest: string) => files.get(`blobs/sha256/${digest.slice(7)}`) as Buffer;
  const [top] = JSON.parse(files.get('index.json')!.toString()).manifests;
  return { top, blob };
}

describe('export', () => {
  it('of a docker-archive gives config and layers byte for byte', async () => {
    const image = smallImage();
    const { record } = await a.push(dockerArchive([image]));
    const exported = await a.exportFile(record, 'docker-archive');
    expectDockerArchive(exported, image);
    const again = await b.push(exported);
    expect(again.record.root).toBe(record.root);
  });

  it('of a packed image as docker-archive gives the plain layers', async () => {
    const { record } = await a.push(ociLayoutTar([gzipped]));
    expectDockerArchive(await a.exportFile(record, 'docker-archive'), gzipped);
  });

  it('as oci-archive gives the original manifest and blobs where they are kept', async () => {
    const { record } = await a.push(ociLayoutTar([gzipped]));
    const { top, blob } = readLayout(await a.exportFile(record, 'oci-archive'));
    expect(top.digest).toBe(gzipped.manifestDigest);
    expect(top.annotations['io.containerd.image.name']).toBe('docker.io/library/packed:1');
    expect(blob(gzipped.manifestDigest).equals(gzipped.manifest)).toBe(true);
    expect(blob(gzipped.imageId).equals(gzipped.config)).toBe(true);
    for (const layer of gzipped.layers) expect(blob(layer.digest).equals(layer.blob)).toBe(true);
  });

  it('as oci-archive gives the canonical manifest with plain layers where no blobs are kept', async () => {
    a.settings.keepBlobs = 'never';
    const { record } = await a.push(ociLayoutTar([gzipped]));
    expect(record.keptBlobs).toEqual([]);
    const { top, blob } = readLayout(await a.exportFile(record, 'oci-archive'));
    const expected = canonicalManifest(
      { digest: gzipped.imageId, size: gzipped.config.length },
      gzipped.layers.map(({ diffId, tar }) => ({ diffId, size: tar.length })),
    );
    expect(blob(top.digest).equals(expected)).toBe(true);
    for (const { diffId, tar } of gzipped.layers) expect(blob(diffId).equals(tar)).toBe(true);
  });

  it('of a plain OCI image gives its own manifest without any blob kept', async () => {
    const image = smallImage();
    const { record } = await a.push(ociLayoutTar([image]));
    const { top } = readLayout(await a.exportFile(record, 'oci-archive'));
    expect(record.keptBlobs).toEqual([]);
    expect(top.digest).toBe(image.manifestDigest);
  });

  it('reads on to its end though the image is removed and swept meanwhile', async () => {
    const image = smallImage();
    const { record } = await a.push(dockerArchive([image]));
    const { exportImage } = await import('../../src/transfer/export.ts');
    const exported = exportImage(a.store, {
      record,
      manifests: [record.manifests[0]!],
      format: 'docker-archive',
      names: record.names,
      signal: AbortSignal.timeout(20_000),
    });
    const chunks = exported.stream[Symbol.asyncIterator]();
    const first = await chunks.next();
    await a.store.images.remove(record.root);
    await a.store.gc();
    const pieces = [first.value as Buffer];
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) pieces.push(next.value);
    expectDockerArchive(Buffer.concat(pieces), image);
  });
});

/** CIDs below a root by plain dag-pb links, as any IPFS node walks them. */
function walk(store: Store, root: string): Set<string> {
  const seen = new Set<string>();
  const visit = (cid: CID): void => {
    if (seen.has(cid.toString())) return;
    seen.add(cid.toString());
    const bytes = store.blocks.getSync(cid);
    if (bytes === undefined) throw new Error(`${cid} is missing`);
    for (const { cid: child } of readNode(cid, bytes).links) visit(child);
  };
  visit(CID.parse(root));
  return seen;
}

describe('pull', () => {
  it.each([
    ['docker-archive', dockerArchive([smallImage()]), smallImage()],
    ['oci-layout', ociLayoutTar([gzipped]), gzipped],
  ] as const)('of a %s gives the same roots, layers and config', async (_, archive, image) => {
    const pushed = await a.push(archive);
    const { record, address } = await b.pull(image.imageId.slice(7, 19));
    expect(record.root).toBe(pushed.record.root);
    expect(record.manifests).toEqual(pushed.record.manifests);
    expect(record.publishedRoots).toEqual(pushed.record.publishedRoots);
    expect(record.contentSize).toBe(pushed.record.contentSize);
    expect(address).toBe(pushed.address);
    expect(record.keptBlobs).toEqual([]);
    expectDockerArchive(await b.exportFile(record, 'docker-archive'), image);
  });

  it('works by name, address, image root, published root and manifest digest', async () => {
    const image = smallImage({ names: ['jbenet/go-ipfs:latest'] });
    const { record, address } = await a.push(dockerArchive([image]));
    const references = [
      'jbenet/go-ipfs',
      address,
      `/ipfs/${record.publishedRoots[0]}/jbenet/go-ipfs`,
      `/ipfs/${record.publishedRoots[0]}`,
      image.imageId.slice(7, 19),
      record.root,
      record.manifests[0]!.digest,
    ];
    for (const reference of references) {
      const pulled = await b.pull(reference);
      expect(pulled.record.root).toBe(record.root);
      if (reference !== record.root) expect(pulled.record.publishedRoots).toEqual(record.publishedRoots);
      await clear(b);
    }
  });

  it('with its blobs gives the original manifest on the other side', async () => {
    await a.push(ociLayoutTar([gzipped]));
    const { record } = await b.pull(gzipped.imageId.slice(7), { blobs: true });
    const { top, blob } = readLayout(await b.exportFile(record, 'oci-archive'));
    expect(top.digest).toBe(gzipped.manifestDigest);
    for (const layer of gzipped.layers) expect(blob(layer.digest).equals(layer.blob)).toBe(true);
  });

  it("of one platform keeps the index and the publisher's image root, and takes others later", async () => {
    const amd = smallImage({ layers: [{ entries: BASE, compression: 'gzip' }] });
    const i386 = smallImage({ layers: [{ entries: UPPER, compression: 'gzip' }], architecture: '386' });
    const proof = attestation(amd);
    const index = indexOf([imageDescriptor(i386), imageDescriptor(amd), proof.descriptor]);
    const pushed = await a.push(
      layoutTar([indexDescriptor(index)], [...imageBlobs(amd), ...imageBlobs(i386), ...proof.blobs, index]),
    );
    const reference = sha256Digest(index).slice(7);
    const platforms = (record: ImageRecord) => record.manifests.map(({ platform }) => platform);

    const first = await b.pull(reference, { platform: 'linux/386' });
    expect(first.record.root).toBe(pushed.record.root);
    expect(first.record.indexDigest).toBe(sha256Digest(index));
    expect(platforms(first.record)).toEqual(['linux/386']);
    // amd64 machines run 386 too, but the index has better
    const second = await b.pull(reference, { platform: 'linux/amd64' });
    expect(second.manifests).toEqual([amd.manifestDigest]);
    expect(platforms(second.record)).toEqual(['linux/386', 'linux/amd64']);
    const all = await b.pull(reference, { platform: 'all' });
    expect(platforms(all.record).sort()).toEqual(['linux/386', 'linux/amd64', 'unknown/unknown']);
    const { top, blob } = readLayout(
      await b.exportFile(first.record, 'oci-archive', second.record.manifests[1]!),
    );
    expect([top.digest, blob(top.digest)]).toBeDefined();
    const fault = await faultOf(b.pull(reference, { platform: 'linux/s390x' }));
    expect(fault).toMatchObject({ kind: 'not-found', code: 'no-such-platform' });
  });

  it('of a multi-platform image by the id of any of its parts gives this part', async () => {
    const amd = smallImage();
    const arm = smallImage({ layers: [UPPER], architecture: 'arm64' });
    const index = indexOf([imageDescriptor(amd), imageDescriptor(arm)]);
    const { record } = await a.push(
      layoutTar([indexDescriptor(index)], [...imageBlobs(amd), ...imageBlobs(arm), index]),
    );
    for (const [id, manifest] of [
      [arm.imageId, arm.manifestDigest],
      [arm.manifestDigest, arm.manifestDigest],
      [amd.imageId, amd.manifestDigest],
      [sha256Digest(index), amd.manifestDigest],
    ] as const) {
      const pulled = await b.pull(id.slice(7, 27));
      expect(pulled.record.root).toBe(record.root);
      expect(pulled.manifests).toEqual([manifest]);
      await clear(b);
    }
  });

  it('of JSON documents beyond one block gives them byte for byte', async () => {
    const image = smallImage({ config: { config: { Labels: { long: 'x'.repeat(2_500_000) } } } });
    const index = indexOf([imageDescriptor(image, { annotations: { long: 'y'.repeat(1_500_000) } })]);
    const pushed = await a.push(layoutTar([indexDescriptor(index)], [...imageBlobs(image), index]), {
      names: ['long:1'],
    });
    for (const reference of ['long:1', image.imageId.slice(7), pushed.record.root]) {
      const { record } = await b.pull(reference);
      expect(record.manifests).toEqual(pushed.record.manifests);
      const { top, blob } = readLayout(await b.exportFile(record, 'oci-archive'));
      expect(top.digest).toBe(sha256Digest(index));
      expect(blob(image.imageId).equals(image.config)).toBe(true);
      await clear(b);
    }
  });

  it('of a file whose blocks need nodes above nodes', async () => {
    const image = smallImage({ layers: [[file('big', bytesOf(90, 175 * 262_144 + 5))]], names: ['big:1'] });
    const pushed = await a.push(dockerArchive([image]));
    const { record } = await b.pull('big:1');
    expect(walk(b.store, record.root)).toEqual(walk(a.store, pushed.record.root));
    expectDockerArchive(await b.exportFile(record, 'docker-archive'), image);
  });

  it('of an artifact and of a foreign layer gives what there is', async () => {
    const amd = smallImage();
    const proof = attestation(amd);
    const pushed = await a.push(layoutTar([proof.descriptor], proof.blobs));
    const { record } = await b.pull(sha256Digest(proof.manifest).slice(7));
    expect(record.manifests).toEqual(pushed.record.manifests);
    expect(parseImageManifest(proof.manifest).layers[0]!.digest).toBe(record.manifests[0]!.layers[0]!.digest);
  });

  it('finds every block it needs by plain links below the image root', async () => {
    const { record } = await a.push(ociLayoutTar([gzipped]));
    const reachable = walk(a.store, record.root);
    const pulled = await b.pull(record.root);
    const here = walk(b.store, record.root);
    expect(here).toEqual(reachable);
    expect(pulled.record.manifests).toEqual(record.manifests);
    // what the cold station has is what the walk names: objects and recipes are all below the root
    for (const cid of here) expect(a.store.blocks.has(CID.parse(cid))).toBe(true);
  });

  it('does not share with foreign peers what may not be shared', async () => {
    a.settings.share = 'none';
    try {
      const image = smallImage();
      const { record } = await a.push(dockerArchive([image]));
      expect(record.shared).toBe(false);
      expect(await faultOf(b.pull(image.imageId.slice(7)))).toMatchObject({ kind: 'not-found' });
      expect((await faultOf(b.pull(record.root))).kind).toMatch(/not-found|unavailable/);
    } finally {
      a.settings.share = 'pulled';
    }
  });
});
