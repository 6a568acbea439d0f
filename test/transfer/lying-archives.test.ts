import type { Readable } from 'node:stream';
import type { Fault } from '../../src/base/fault.ts';
import type { PushOptions } from '../../src/transfer/push.ts';
import { type BuiltImage, dockerArchive, sha256Digest } from '../support/image-archive.ts';
import { file, type LayerEntry, layerTar, symlink } from '../support/layer-tar.ts';
import { rawEntry, rawTar } from '../support/raw-tar.ts';
import {
  descriptorOf,
  imageBlobs,
  imageDescriptor,
  indexOf,
  json,
  layoutTar,
  tiny,
} from './support/images.ts';
import { suiteStation } from './support/suite-stations.ts';
import { expectEmpty, faultOf } from './support/two-stations.ts';

const station = suiteStation();
// whatever was refused: nothing is pinned, and a sweep gives the disk back
afterEach(() => expectEmpty(station));

const refused = (archive: Uint8Array | Readable, options: Partial<PushOptions> = {}): Promise<Fault> =>
  faultOf(station.push(archive, options));

describe('archives that lie', () => {
  const withLayer = (image: BuiltImage, tar: Buffer): BuiltImage => ({
    ...image,
    layers: [{ ...image.layers[0]!, tar, blob: tar }],
  });
  const oci = 'application/vnd.oci.image.config.v1+json';

  it('about a diffID', async () => {
    const fault = await refused(dockerArchive([withLayer(tiny, layerTar([file('a', 'other')]))]));
    expect(fault).toMatchObject({ kind: 'corrupt', code: 'diffid-mismatch' });
    expect(fault.fields).toMatchObject({
      claimed: tiny.diffIds[0],
      layer: `${tiny.diffIds[0]!.slice(7)}/layer.tar`,
    });
  });

  it('about the digest or the size of a blob', async () => {
    const lying = (layer: object, config: object = {}): Buffer => {
      const manifest = json({
        schemaVersion: 2,
        mediaType: tiny.manifestMediaType,
        config: { ...descriptorOf(oci, tiny.config), ...config },
        layers: [
          { ...descriptorOf('application/vnd.oci.image.layer.v1.tar', tiny.layers[0]!.blob), ...layer },
        ],
      });
      return layoutTar([descriptorOf(tiny.manifestMediaType, manifest)], [...imageBlobs(tiny), manifest]);
    };
    for (const archive of [lying({ size: 1 }), lying({}, { size: 7 })]) {
      expect(await refused(archive)).toMatchObject({ kind: 'corrupt', code: 'digest-mismatch' });
    }
    expect(await refused(lying({ digest: sha256Digest(Buffer.from('else')) }))).toMatchObject({
      kind: 'corrupt',
      code: 'missing-file',
    });
    expect(await refused(lying({ size: -1 }))).toMatchObject({ kind: 'invalid', code: 'bad-document' });
    expect(await refused(lying({ digest: 'sha256:../../etc/passwd' }))).toMatchObject({ kind: 'invalid' });
  });

  it("about a blob's name", async () => {
    const files = layerTar([
      file(`blobs/sha256/${tiny.manifestDigest.slice(7)}`, `${tiny.manifest} `),
      file('index.json', indexOf([{ ...imageDescriptor(tiny), size: tiny.manifest.length + 1 }])),
    ]);
    const fault = await refused(files);
    expect(fault).toMatchObject({ kind: 'corrupt', code: 'digest-mismatch' });
    expect(fault.fields['claimed']).toBe(tiny.manifestDigest);
  });

  it('about the count of layers', async () => {
    const config = `${tiny.imageId.slice(7)}.json`;
    const layer = file('l/layer.tar', tiny.layers[0]!.tar);
    const archive = (layers: string[]): Buffer =>
      layerTar([
        file(config, tiny.config),
        layer,
        file('manifest.json', json([{ Config: config, Layers: layers }])),
      ]);
    expect(await refused(archive([]))).toMatchObject({
      kind: 'corrupt',
      code: 'bad-config',
      fields: { path: config },
    });
    expect(await refused(archive(['l/layer.tar', 'l/layer.tar']))).toMatchObject({ code: 'bad-config' });
    const many = await refused(archive(Array.from({ length: 513 }, () => 'l/layer.tar')));
    expect(many).toMatchObject({ kind: 'invalid', code: 'too-many-layers' });
  });

  it('by naming files that they do not hold', async () => {
    const config = `${tiny.imageId.slice(7)}.json`;
    const layer = file('l/layer.tar', tiny.layers[0]!.tar);
    const manifest = (value: object): LayerEntry => file('manifest.json', json([value]));
    expect(
      await refused(layerTar([layer, manifest({ Config: config, Layers: ['l/layer.tar'] })])),
    ).toMatchObject({
      kind: 'corrupt',
      code: 'missing-file',
      fields: { path: config },
    });
    for (const path of ['gone/layer.tar', '../l/layer.tar/../../..', 'loop']) {
      const archive = layerTar([
        file(config, tiny.config),
        layer,
        symlink('loop', 'loop'),
        manifest({ Config: config, Layers: [path] }),
      ]);
      expect(await refused(archive)).toMatchObject({
        kind: 'corrupt',
        code: 'missing-file',
        fields: { path },
      });
    }
    const noTar = layerTar([
      file(config, tiny.config),
      file('l/layer.tar', 'this is no tar'),
      manifest({ Config: config, Layers: ['l/layer.tar'] }),
    ]);
    expect(await refused(noTar)).toMatchObject({
      kind: 'corrupt',
      code: 'bad-layer',
      fields: { layer: 'l/layer.tar' },
    });
  });

  it('with JSON that is none, too deep, or not what it must be', async () => {
    const texts = [
      '{',
      '[1',
      'null',
      '{}',
      '[[]]',
      '[{}]',
      `${'['.repeat(100_000)}`,
      '{"a":1,"a":2}',
      '\xff\xfe',
    ];
    for (const text of texts) {
      const fault = await refused(layerTar([file('manifest.json', Buffer.from(text, 'latin1'))]));
      expect({ text: text.slice(0, 9), kind: fault.kind }).toEqual({
        text: text.slice(0, 9),
        kind: 'invalid',
      });
    }
    const deep = `[{"Config":"c","Layers":[],"x":${'['.repeat(5000)}${']'.repeat(5000)}}]`;
    expect(await refused(layerTar([file('manifest.json', deep)]))).toMatchObject({
      kind: 'invalid',
      code: 'bad-json',
    });
    expect(await refused(layerTar([file('manifest.json', '[]')]))).toMatchObject({
      kind: 'not-found',
      code: 'no-image-in-archive',
    });
  });

  it('with JSON of 100 MB', async () => {
    const config = `${tiny.imageId.slice(7)}.json`;
    for (const [path, size] of [
      ['manifest.json', 100_000_000],
      ['index.json', 5_000_000],
    ] as const) {
      const fault = await refused(rawTar(rawEntry({ name: path }, Buffer.alloc(size, ' '))));
      expect(fault).toMatchObject({ kind: 'invalid', code: 'json-too-big', fields: { path, size } });
    }
    const pad = Buffer.alloc(5_000_000, ' ');
    const archive = rawTar(
      rawEntry({ name: config }, pad),
      rawEntry({ name: 'manifest.json' }, json([{ Config: config, Layers: [] }])),
    );
    expect(await refused(archive)).toMatchObject({ code: 'json-too-big', fields: { path: config } });
  });
});
