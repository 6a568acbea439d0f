import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Fault } from '../../src/base/fault.ts';
import type { PushOptions } from '../../src/transfer/push.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { buildImage, dockerArchive, ociLayoutTar, sha256Digest } from '../support/image-archive.ts';
import { file, layerTar } from '../support/layer-tar.ts';
import { BASE, descriptorOf, json, layoutTar, smallImage, tiny } from './support/images.ts';
import { suiteStation } from './support/suite-stations.ts';
import { expectEmpty, faultOf } from './support/two-stations.ts';

const station = suiteStation();
// whatever was refused: nothing is pinned, and a sweep gives the disk back
afterEach(() => expectEmpty(station));

const refused = (archive: Uint8Array | Readable, options: Partial<PushOptions> = {}): Promise<Fault> =>
  faultOf(station.push(archive, options));

describe('archives that were cut or damaged', () => {
  it('are refused wherever the cut is', async () => {
    const archive = dockerArchive([tiny]);
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
    for (const packed of [gzipSync(dockerArchive([tiny])), zstdCompressSync(dockerArchive([tiny]))]) {
      for (let at = 1; at < packed.length; at += Math.ceil(packed.length / 23)) {
        const fault = await refused(packed.subarray(0, at));
        expect({ at, kind: fault.kind }).toEqual({ at, kind: 'corrupt' });
        expect(fault.code).toMatch(/^(bad-archive|bad-compression)$/);
      }
    }
  });

  it('are refused with a flipped byte or other bytes behind the compressed ones', async () => {
    for (const pack of [gzipSync, zstdCompressSync]) {
      const packed = pack(ociLayoutTar([tiny]));
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
      yield dockerArchive([tiny]).subarray(0, 2000);
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
