import { gzipSync } from 'node:zlib';
import { CID } from 'multiformats/cid';
import { type BuiltImage, buildImage, dockerArchive, ociLayoutFiles } from '../support/image-archive.ts';
import { directory, file, type LayerEntry, layerTar, symlink } from '../support/layer-tar.ts';
import { BASE, smallImage, UPPER } from './support/images.ts';
import { suiteStation } from './support/suite-stations.ts';
import { clear, faultOf, transferStation } from './support/two-stations.ts';

const station = suiteStation();
afterEach(() => clear(station));

const short = (digest: string): string => digest.slice(7, 19);

/** As Docker up to 24 saved: a layer that was written already is a symlink to it, with `json` and `repositories`. */
function oldArchive(image: BuiltImage): Buffer {
  const written = new Map<string, string>();
  const entries: LayerEntry[] = image.layers.flatMap(({ tar, diffId }, number) => {
    const folder = `${number}`.repeat(64);
    const first = written.get(diffId);
    written.set(diffId, first ?? folder);
    return [
      directory(folder),
      file(`${folder}/VERSION`, '1.0'),
      file(`${folder}/json`, '{"id":"x"}'),
      first === undefined
        ? file(`${folder}/layer.tar`, tar)
        : symlink(`${folder}/layer.tar`, `../${first}/layer.tar`),
    ];
  });
  const config = `${image.imageId.slice(7)}.json`;
  return layerTar([
    ...entries,
    file(config, image.config),
    file(
      'manifest.json',
      JSON.stringify([
        {
          Config: config,
          RepoTags: image.names,
          Layers: image.layers.map((_, number) => `${`${number}`.repeat(64)}/layer.tar`),
        },
      ]),
    ),
    file('repositories', '{}'),
  ]);
}

/** As Docker from 25 on saves: an OCI layout, with `manifest.json` naming its blobs. */
function newArchive(image: BuiltImage): Buffer {
  const blob = (digest: string): string => `blobs/sha256/${digest.slice(7)}`;
  const files = [...ociLayoutFiles([image])].map(([path, bytes]) => file(path, bytes));
  const manifest = [
    {
      Config: blob(image.imageId),
      RepoTags: image.names,
      Layers: image.layers.map(({ digest }) => blob(digest)),
    },
  ];
  return layerTar([directory('blobs'), ...files, file('manifest.json', JSON.stringify(manifest))]);
}

describe('push of a docker-archive', () => {
  it('publishes the image under its id and its names', async () => {
    const image = smallImage({ names: ['jbenet/go-ipfs:latest', 'small:1'] });
    const { address, record, totals } = await station.push(dockerArchive([image]));
    const published = record.publishedRoots.at(-1) as string;
    expect(address).toBe(`/ipfs/${published}/${short(image.imageId)}`);
    expect(record.names).toEqual(['jbenet/go-ipfs', 'jbenet/go-ipfs:latest', 'small:1']);
    expect(record).toMatchObject({ state: 'pinned', shared: true, origin: 'push', keptBlobs: [] });
    expect(record.manifests).toHaveLength(1);
    expect(record.manifests[0]).toMatchObject({ imageId: image.imageId, platform: 'linux/amd64' });
    expect(record.manifests[0]!.layers.map(({ diffId }) => diffId)).toEqual(image.diffIds);
    expect(totals.bytes).toBeGreaterThan(totals.here);
    expect(CID.parse(published).version).toBe(1);
  });

  it('gives one image root for the archives of all Docker versions', async () => {
    const image = smallImage({ layers: [BASE, UPPER, BASE] });
    const roots = new Set<string>();
    for (const archive of [
      oldArchive(image),
      newArchive(image),
      dockerArchive([image]),
      gzipSync(dockerArchive([image])),
    ]) {
      const { record } = await station.push(archive);
      roots.add(record.root);
      // digest = diffID: the canonical manifest names the plain tars
      expect(record.manifests[0]!.layers.map(({ digest }) => digest)).toEqual(image.diffIds);
    }
    expect(roots.size).toBe(1);
    expect([...station.store.images.all()]).toHaveLength(1);
  });

  it('takes the same whatever size the pieces of the stream have', async () => {
    const archive = dockerArchive([smallImage()]);
    const { Readable } = await import('node:stream');
    const roots = new Set<string>();
    for (const size of [333, 4096, archive.length]) {
      const pieces = Array.from({ length: Math.ceil(archive.length / size) }, (_, i) =>
        archive.subarray(i * size, (i + 1) * size),
      );
      roots.add((await station.push(Readable.from(pieces))).record.root);
    }
    expect(roots.size).toBe(1);
  });

  it('lists the images of an archive that holds several, and takes the one named', async () => {
    const first = smallImage({ names: ['one:1'] });
    const second = buildImage({ layers: [UPPER], names: ['two:latest', 'zwei:2'], architecture: 'amd64' });
    const archive = dockerArchive([first, second]);
    const fault = await faultOf(station.push(archive));
    expect(fault).toMatchObject({ kind: 'invalid', code: 'several-images' });
    expect(fault.fields['images']).toEqual(['one:1', 'two:latest']);
    for (const name of ['two', 'two:latest', 'zwei:2']) {
      const { record } = await station.push(archive, { image: name });
      expect(record.manifests[0]!.imageId).toBe(second.imageId);
    }
    const byId = await station.push(archive, { expectedId: first.imageId });
    expect(byId.record.manifests[0]!.imageId).toBe(first.imageId);
    expect(await faultOf(station.push(archive, { image: 'three' }))).toMatchObject({
      kind: 'not-found',
      code: 'no-image-in-archive',
    });
  });

  it('names an image without a name by its id alone', async () => {
    const image = smallImage({ names: [] });
    const { record, address } = await station.push(dockerArchive([image]));
    expect(record.names).toEqual([]);
    expect(address.endsWith(`/${short(image.imageId)}`)).toBe(true);
  });

  it('by id and by name leads to one root', async () => {
    const image = smallImage();
    const names = ['jbenet/go-ipfs:latest', 'small:1'];
    const archive = dockerArchive([image]);
    const byId = await station.push(archive, {
      names,
      argument: { text: image.imageId.slice(7, 20), by: 'id' },
    });
    const byName = await station.push(archive, { names, argument: { text: 'jbenet/go-ipfs', by: 'name' } });
    const published = byId.record.publishedRoots.at(-1);
    expect(byName.record.publishedRoots).toEqual([published]);
    expect(byId.address).toBe(`/ipfs/${published}/${short(image.imageId)}`);
    expect(byName.address).toBe(`/ipfs/${published}/jbenet/go-ipfs`);
    const full = await station.push(archive, {
      names: ['aaa:1', ...names],
      argument: { text: 'docker.io/jbenet/go-ipfs:latest', by: 'name' },
    });
    expect(full.address).toMatch(/\/jbenet\/go-ipfs(:latest)?$/);
  });

  it('takes images without layers, with empty layers, and with one layer twice', async () => {
    const none = buildImage({ layers: [], architecture: 'amd64' });
    expect((await station.push(dockerArchive([none]))).record.manifests[0]!.layers).toEqual([]);
    const empty = buildImage({
      layers: [{ tar: Buffer.alloc(1024) }, { tar: Buffer.alloc(0) }, BASE, BASE],
      architecture: 'amd64',
    });
    const { record } = await station.push(dockerArchive([empty]));
    const [zeros, nothing, third, fourth] = record.manifests[0]!.layers;
    expect(zeros).toMatchObject({ diffId: empty.diffIds[0], tarSize: 1024 });
    expect(nothing).toMatchObject({ diffId: empty.diffIds[1], tarSize: 0 });
    expect(third!.root).toBe(fourth!.root);
  });
});

describe('names on the public network', () => {
  it('leave out registry hosts unless the user asked for them', async () => {
    await using outside = await transferStation({ network: 'public', transfer: { share: 'pushed' } });
    const image = smallImage();
    const names = ['registry.example.com/team/app:1', 'localhost:5000/x:latest', 'plain:1'];
    const byFile = await outside.push(dockerArchive([image]), { names });
    expect(byFile.record.names).toEqual(['plain:1']);
    const asked = await outside.push(dockerArchive([image]), {
      names,
      argument: { text: 'registry.example.com/team/app:1', by: 'name' },
    });
    expect(asked.record.names).toEqual(['plain:1', 'registry.example.com/team/app:1']);
    expect(asked.address.endsWith('/registry.example.com/team/app:1')).toBe(true);
  });
});
