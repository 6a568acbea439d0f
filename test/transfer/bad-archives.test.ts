import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Fault } from '../../src/base/fault.ts';
import type { PushOptions } from '../../src/transfer/push.ts';
import { bytesOf } from '../store/store-fixture.ts';
import {
  type BuiltImage,
  buildImage,
  dockerArchive,
  ociLayoutTar,
  sha256Digest,
} from '../support/image-archive.ts';
import { directory, file, type LayerEntry, layerTar, symlink } from '../support/layer-tar.ts';
import { paxHeader, rawEntry, rawHeader, rawTar } from '../support/raw-tar.ts';
import {
  BASE,
  descriptorOf,
  imageBlobs,
  imageDescriptor,
  indexOf,
  json,
  layoutTar,
  smallImage,
} from './support/images.ts';
import { expectEmpty, faultOf, type TransferStation, transferStation } from './support/two-stations.ts';

let station: TransferStation;
beforeAll(async () => {
  station = await transferStation({ transfer: {} });
});
afterAll(() => station[Symbol.asyncDispose]());
// whatever was refused: nothing is pinned, and a sweep gives the disk back
afterEach(() => expectEmpty(station));

const small = buildImage({
  architecture: 'amd64',
  layers: [[file('a', 'x'), file('b', bytesOf(4, 5000))]],
  names: ['s:1'],
});
const refused = (archive: Uint8Array | Readable, options: Partial<PushOptions> = {}): Promise<Fault> =>
  faultOf(station.push(archive, options));

describe('archives that were cut or damaged', () => {
  it('are refused wherever the cut is', async () => {
    const archive = dockerArchive([small]);
    // the last file ends 1,024 bytes and its padding before the end: Go takes a tar without end marker
    const whole = archive.length - 1024;
    const cuts = [0, 1, 100, 511, 512, 513];
    for (let at = 700; at < whole - 512; at += 977) cuts.push(at);
    for (const at of cuts) {
      const fault = await refused(archive.subarray(0, at));
      expect({ at, kind: fault.kind }).toEqual({ at, kind: 'corrupt' });
      expect(fault.code).toMatch(/^(bad-archive|missing-file)$/);
    }
  });

  it('are refused wherever a compressed one is cut', async () => {
    for (const packed of [gzipSync(dockerArchive([small])), zstdCompressSync(dockerArchive([small]))]) {
      for (let at = 1; at < packed.length; at += Math.ceil(packed.length / 23)) {
        const fault = await refused(packed.subarray(0, at));
        expect({ at, kind: fault.kind }).toEqual({ at, kind: 'corrupt' });
        expect(fault.code).toMatch(/^(bad-archive|bad-compression)$/);
      }
    }
  });

  it('are refused with a flipped byte or other bytes behind the compressed ones', async () => {
    for (const pack of [gzipSync, zstdCompressSync]) {
      const packed = pack(ociLayoutTar([small]));
      const flipped = Buffer.from(packed);
      flipped[packed.length >> 1]! ^= 0x55;
      const fault = await refused(flipped);
      expect(fault.kind).toBe('corrupt');
      for (const tail of ['garbage', Buffer.alloc(3), Buffer.alloc(512)]) {
        const extended = Buffer.concat([packed, Buffer.from(tail)]);
        expect(await refused(extended)).toMatchObject({ kind: 'corrupt', code: 'bad-compression' });
      }
    }
  });

  it('are refused where they are no archive at all', async () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('hello'),
      bytesOf(1, 10_000),
      Buffer.alloc(10_240),
      layerTar(BASE),
    ]) {
      expect(await refused(bytes)).toMatchObject({ kind: 'corrupt', code: 'bad-archive' });
    }
  });

  it("end with the stream's own error where the stream breaks", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield dockerArchive([small]).subarray(0, 2000);
      throw new Fault('unavailable', 'engine-gone', 'the engine went away');
    }
    expect(await refused(Readable.from(broken()))).toMatchObject({
      kind: 'unavailable',
      code: 'engine-gone',
    });
  });

  it('end at once when the push is cancelled', async () => {
    const cancel = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield dockerArchive([smallImage()]).subarray(0, 50_000);
      cancel.abort();
      for (;;) yield Buffer.alloc(65_536);
    }
    await expect(station.push(Readable.from(endless()), { signal: cancel.signal })).rejects.toThrow(
      /abort|cancel/,
    );
  });
});

describe('compressed layers that are damaged', () => {
  const layer = layerTar([file('x', bytesOf(9, 200_000))]);

  /** A layout with one layer whose blob is this, truly named. */
  function withBlob(blob: Buffer, mediaType: string): Buffer {
    const base = buildImage({ architecture: 'amd64', layers: [{ tar: layer }] });
    const manifest = json({
      schemaVersion: 2,
      mediaType: base.manifestMediaType,
      config: descriptorOf('application/vnd.oci.image.config.v1+json', base.config),
      layers: [descriptorOf(mediaType, blob)],
    });
    return layoutTar([descriptorOf(base.manifestMediaType, manifest)], [blob, base.config, manifest]);
  }
  const cases: Record<string, Buffer> = {
    'a cut gzip': gzipSync(layer).subarray(0, 100_000),
    'a cut zstd': zstdCompressSync(layer).subarray(0, 100_000),
    'bytes behind gzip': Buffer.concat([gzipSync(layer), Buffer.from('tail')]),
    'zeros behind gzip': Buffer.concat([gzipSync(layer), Buffer.alloc(16)]),
    'bytes behind zstd': Buffer.concat([zstdCompressSync(layer), Buffer.from('tail')]),
    'a flipped byte in gzip': flip(gzipSync(layer), 90_000),
    'a flipped checksum in gzip': flip(gzipSync(layer), -6),
    'a flipped byte in zstd': flip(zstdCompressSync(layer, { params: { 201: 1 } }), 90_000),
  };
  it.each(Object.keys(cases))('%s', async (name) => {
    const blob = cases[name] as Buffer;
    const fault = await refused(withBlob(blob, 'application/vnd.oci.image.layer.v1.tar+gzip'));
    expect(fault).toMatchObject({ kind: 'corrupt', code: 'bad-compression' });
    expect(fault.fields['blob']).toBe(`blobs/sha256/${sha256Digest(blob).slice(7)}`);
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at < 0 ? bytes.length + at : at]! ^= 0x10;
  return flipped;
}

describe('archives that lie', () => {
  const withLayer = (image: BuiltImage, tar: Buffer): BuiltImage => ({
    ...image,
    layers: [{ ...image.layers[0]!, tar, blob: tar }],
  });
  const oci = 'application/vnd.oci.image.config.v1+json';

  it('about a diffID', async () => {
    const fault = await refused(dockerArchive([withLayer(small, layerTar([file('a', 'other')]))]));
    expect(fault).toMatchObject({ kind: 'corrupt', code: 'diffid-mismatch' });
    expect(fault.fields).toMatchObject({
      claimed: small.diffIds[0],
      layer: `${small.diffIds[0]!.slice(7)}/layer.tar`,
    });
  });

  it('about the digest or the size of a blob', async () => {
    const lying = (layer: object, config: object = {}): Buffer => {
      const manifest = json({
        schemaVersion: 2,
        mediaType: small.manifestMediaType,
        config: { ...descriptorOf(oci, small.config), ...config },
        layers: [
          { ...descriptorOf('application/vnd.oci.image.layer.v1.tar', small.layers[0]!.blob), ...layer },
        ],
      });
      return layoutTar([descriptorOf(small.manifestMediaType, manifest)], [...imageBlobs(small), manifest]);
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
      file(`blobs/sha256/${small.manifestDigest.slice(7)}`, `${small.manifest} `),
      file('index.json', indexOf([{ ...imageDescriptor(small), size: small.manifest.length + 1 }])),
    ]);
    const fault = await refused(files);
    expect(fault).toMatchObject({ kind: 'corrupt', code: 'digest-mismatch' });
    expect(fault.fields['claimed']).toBe(small.manifestDigest);
  });

  it('about the count of layers', async () => {
    const config = `${small.imageId.slice(7)}.json`;
    const layer = file('l/layer.tar', small.layers[0]!.tar);
    const archive = (layers: string[]): Buffer =>
      layerTar([
        file(config, small.config),
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
    const config = `${small.imageId.slice(7)}.json`;
    const layer = file('l/layer.tar', small.layers[0]!.tar);
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
        file(config, small.config),
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
      file(config, small.config),
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
    const config = `${small.imageId.slice(7)}.json`;
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

describe('archives that cost much', () => {
  it('by too many files', async () => {
    const empty = Array.from({ length: 20_000 }, (_, i) => file(`f${i}`));
    expect(await refused(layerTar(empty))).toMatchObject({ kind: 'invalid', code: 'archive-too-many-files' });
    const links = Array.from({ length: 20_000 }, (_, i) => symlink(`l${i}`, 'x'));
    expect(await refused(layerTar(links))).toMatchObject({ kind: 'invalid', code: 'archive-too-many-files' });
  });

  it('by files that are held in memory', async () => {
    const text = Buffer.alloc(4_000_000, 'x');
    const files = Array.from({ length: 20 }, (_, i) => rawEntry({ name: `f${i}` }, text));
    expect(await refused(rawTar(...files))).toMatchObject({
      kind: 'invalid',
      code: 'archive-too-many-files',
    });
  });

  it('by names and numbers that are none', async () => {
    const image = small.layers[0]!.tar;
    const hostile: Buffer[] = [
      rawTar(rawHeader({ name: 'x', size: -5 })),
      rawTar(rawHeader({ name: 'x', size: 2 ** 52 }), Buffer.alloc(2048)),
      rawTar(paxHeader({ size: '-1' }), rawHeader({ name: 'x', size: 0 })),
      rawTar(paxHeader({ size: 'many' }), rawHeader({ name: 'x', size: 0 })),
      rawTar(rawHeader({ name: 'x', size: 1e15, typeflag: 'x' }), Buffer.alloc(4096)),
      rawTar(rawHeader({ name: 'x', checksumError: 1 }), image),
    ];
    for (const archive of hostile)
      expect(await refused(archive)).toMatchObject({ kind: 'corrupt', code: 'bad-archive' });
  });

  it('by paths that leave it: they name only what it holds', async () => {
    const config = `${small.imageId.slice(7)}.json`;
    const archive = layerTar([
      file(`../../${config}`, small.config),
      directory('..'),
      file('/etc/layer.tar', small.layers[0]!.tar),
      symlink('out', '../../../../etc/passwd'),
      file('manifest.json', json([{ Config: config, Layers: ['out'] }])),
    ]);
    expect(await refused(archive)).toMatchObject({
      kind: 'corrupt',
      code: 'missing-file',
      fields: { path: 'out' },
    });
  });

  it('by bytes that grow when they are unpacked', async () => {
    const zeros = Buffer.alloc(150 * 1024 * 1024);
    const bomb = layerTar([file('zeros', zeros)]);
    const layerBomb = gzipSync(bomb, { level: 9 });
    const manifest = json({
      schemaVersion: 2,
      mediaType: small.manifestMediaType,
      config: descriptorOf('application/vnd.oci.image.config.v1+json', small.config),
      layers: [descriptorOf('application/vnd.oci.image.layer.v1.tar+gzip', layerBomb)],
    });
    const layout = layoutTar(
      [descriptorOf(small.manifestMediaType, manifest)],
      [layerBomb, small.config, manifest],
    );
    const fault = await refused(layout);
    expect(fault).toMatchObject({ kind: 'invalid', code: 'compression-bomb' });
    expect(fault.fields['blob']).toBe(`blobs/sha256/${sha256Digest(layerBomb).slice(7)}`);
    // the archive itself, in a file that is no layer
    const whole = zstdCompressSync(rawTar(rawEntry({ name: 'zeros' }, zeros)));
    expect(await refused(whole)).toMatchObject({ kind: 'invalid', code: 'compression-bomb' });
  });
});
