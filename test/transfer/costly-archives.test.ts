import type { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Fault } from '../../src/base/fault.ts';
import type { PushOptions } from '../../src/transfer/push.ts';
import { sha256Digest } from '../support/image-archive.ts';
import { directory, file, layerTar, symlink } from '../support/layer-tar.ts';
import { paxHeader, rawEntry, rawHeader, rawTar } from '../support/raw-tar.ts';
import { descriptorOf, json, layoutTar, tiny } from './support/images.ts';
import { suiteStation } from './support/suite-stations.ts';
import { expectEmpty, faultOf } from './support/two-stations.ts';

const station = suiteStation();
// whatever was refused: nothing is pinned, and a sweep gives the disk back
afterEach(() => expectEmpty(station));

const refused = (archive: Uint8Array | Readable, options: Partial<PushOptions> = {}): Promise<Fault> =>
  faultOf(station.push(archive, options));

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
    const image = tiny.layers[0]!.tar;
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
    const config = `${tiny.imageId.slice(7)}.json`;
    const archive = layerTar([
      file(`../../${config}`, tiny.config),
      directory('..'),
      file('/etc/layer.tar', tiny.layers[0]!.tar),
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
      mediaType: tiny.manifestMediaType,
      config: descriptorOf('application/vnd.oci.image.config.v1+json', tiny.config),
      layers: [descriptorOf('application/vnd.oci.image.layer.v1.tar+gzip', layerBomb)],
    });
    const layout = layoutTar(
      [descriptorOf(tiny.manifestMediaType, manifest)],
      [layerBomb, tiny.config, manifest],
    );
    const fault = await refused(layout);
    expect(fault).toMatchObject({ kind: 'invalid', code: 'compression-bomb' });
    expect(fault.fields['blob']).toBe(`blobs/sha256/${sha256Digest(layerBomb).slice(7)}`);
    // the archive itself, in a file that is no layer
    const whole = zstdCompressSync(rawTar(rawEntry({ name: 'zeros' }, zeros)));
    expect(await refused(whole)).toMatchObject({ kind: 'invalid', code: 'compression-bomb' });
  });
});
