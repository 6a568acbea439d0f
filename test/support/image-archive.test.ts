import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { buildImage, dockerArchive, ociLayoutFiles, ociLayoutTar, sha256Digest } from './image-archive.ts';
import { directory, file, hardlink, layerTar, opaque, symlink, whiteout } from './layer-tar.ts';
import { paxRecord } from './raw-tar.ts';
import { tempFolder } from './temp-folder.ts';

const entries = [
  directory('bin'),
  file('bin/hello', 'hello\n', { mode: 0o4755, uid: 1_000_000_000, gid: 12 }),
  symlink('bin/hi', 'hello'),
  hardlink('bin/hallo', 'bin/hello'),
  file(`long/${'n'.repeat(180)}`, 'x'),
  whiteout('etc/passwd'),
  opaque('var'),
];

describe('the image archives of the tests', () => {
  it('are read by GNU tar as they were meant', () => {
    using folder = tempFolder('archive');
    const path = join(folder.path, 'layer.tar');
    writeFileSync(path, layerTar(entries));
    const listing = execFileSync('tar', ['--numeric-owner', '-tvf', path], {
      encoding: 'utf8',
      env: { TZ: 'UTC' },
    });
    expect(listing).toContain('-rwsr-xr-x 1000000000/12');
    expect(listing).toContain('bin/hi -> hello');
    expect(listing).toContain('bin/hallo link to bin/hello');
    expect(listing).toContain('n'.repeat(180));
    expect(listing).toContain('etc/.wh.passwd');
    expect(listing).toContain('var/.wh..wh..opq');
  });

  it('count the length of a PAX record with its own digits', () => {
    for (const length of [1, 85, 86, 87, 88, 89, 90, 984, 985, 986, 987, 988, 989, 990, 991]) {
      const record = paxRecord('path', 'a'.repeat(length));
      expect(Number(record.toString().split(' ')[0])).toBe(record.length);
    }
  });

  it('carry true digests in each form', () => {
    const image = buildImage({
      layers: [entries, { entries, compression: 'gzip' }, { entries, compression: 'zstd' }],
      names: ['hello:1'],
    });
    const config = JSON.parse(image.config.toString());
    expect(config.rootfs.diff_ids).toEqual(image.diffIds);
    expect(sha256Digest(gunzipSync(image.layers[1]!.blob))).toBe(image.diffIds[1]);
    expect(sha256Digest(zstdDecompressSync(image.layers[2]!.blob))).toBe(image.diffIds[2]);
    const files = ociLayoutFiles([image], { multiPlatform: 'hello:1' });
    for (const [path, bytes] of files) {
      if (path.startsWith('blobs/')) expect(sha256Digest(bytes)).toBe(`sha256:${path.slice(13)}`);
    }
    const top = JSON.parse(files.get('index.json')!.toString());
    const inner = JSON.parse(files.get(`blobs/sha256/${top.manifests[0].digest.slice(7)}`)!.toString());
    expect(inner.manifests[0].digest).toBe(image.manifestDigest);
  });

  it('give the same bytes for the same specification', () => {
    const spec = { layers: [entries, { entries, compression: 'zstd' as const }], names: ['hello:1'] };
    expect(dockerArchive([buildImage(spec)])).toEqual(dockerArchive([buildImage(spec)]));
    expect(ociLayoutTar([buildImage(spec)])).toEqual(ociLayoutTar([buildImage(spec)]));
  });
});
