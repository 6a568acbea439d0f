import { bytesOf } from '../store/store-fixture.ts';
import { type BuiltImage, buildImage, dockerArchive } from '../support/image-archive.ts';
import { file, layerTar, symlink } from '../support/layer-tar.ts';
import { padded, paxHeader, rawEntry, rawHeader, rawTar } from '../support/raw-tar.ts';
import { suiteStation } from './support/suite-stations.ts';
import { clear, expectEmpty, faultOf } from './support/two-stations.ts';

const station = suiteStation();

const imageOf = (...tars: Uint8Array[]): BuiltImage =>
  buildImage({ architecture: 'amd64', layers: tars.map((tar) => ({ tar })) });

const HOSTILE: Record<string, { tar: () => Uint8Array; kind: string; code: string; entry?: string }> = {
  'a name that leaves the root': {
    tar: () => layerTar([file('ok', 'x'), file('../out', 'x')]),
    kind: 'invalid',
    code: 'path-leaves-root',
    entry: '../out',
  },
  'a name of 4,096 bytes': {
    tar: () => layerTar([file(`${'a/'.repeat(2047)}bc`, 'x')]),
    kind: 'invalid',
    code: 'tar-limit',
  },
  'a name of 256 bytes between slashes': {
    tar: () => layerTar([file('x'.repeat(256), 'x')]),
    kind: 'invalid',
    code: 'tar-limit',
  },
  'a size below zero': {
    tar: () => rawTar(rawHeader({ name: 'a', size: -1 })),
    kind: 'corrupt',
    code: 'tar-header',
  },
  'a size that no disk has': {
    tar: () => rawTar(rawHeader({ name: 'a', size: 2 ** 50 })),
    kind: 'invalid',
    code: 'tar-limit',
    entry: 'a',
  },
  'a size beyond 2^53': {
    tar: () =>
      rawTar(rawHeader({ name: 'a', patch: { 124: Buffer.from('80ffffffffffffffffffffff', 'hex') } })),
    kind: 'corrupt',
    code: 'tar-header',
  },
  'a sparse file of a petabyte': {
    tar: () =>
      rawTar(
        paxHeader({
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': 'big',
          'GNU.sparse.realsize': String(2 ** 50),
        }),
        rawEntry({ name: 'GNUSparseFile.0/big' }, padded('0\n')),
      ),
    kind: 'invalid',
    code: 'tar-limit',
    entry: 'big',
  },
  'a device in the way of a file': {
    tar: () => layerTar([{ path: 'dev', type: 'chardev' }, file('dev/x', 'x')]),
    kind: 'invalid',
    code: 'parent-not-directory',
    entry: 'dev/x',
  },
  'symlinks in a circle': {
    tar: () => layerTar([symlink('a', 'b'), symlink('b', 'a'), file('a/x', 'x')]),
    kind: 'invalid',
    code: 'symlink-loop',
  },
  'a cut in a header': {
    tar: () => layerTar([file('a', 'x')]).subarray(0, 1300),
    kind: 'corrupt',
    code: 'tar-truncated',
  },
  'a cut in the content': {
    tar: () => layerTar([file('a', bytesOf(1, 9000))]).subarray(0, 5000),
    kind: 'corrupt',
    code: 'tar-truncated',
    entry: 'a',
  },
  'too many attributes': {
    tar: () =>
      layerTar([
        file('a', '', {
          xattrs: Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [`user.${i}`, 'x'])),
        }),
      ]),
    kind: 'invalid',
    code: 'tar-limit',
  },
};

describe('a layer that is hostile', () => {
  beforeAll(() => clear(station));

  it.each(Object.keys(HOSTILE))('is refused for %s', async (name) => {
    const { tar, kind, code, entry } = HOSTILE[name]!;
    const image = imageOf(layerTar([file('below', bytesOf(3, 1000))]), tar());
    const fault = await faultOf(station.push(dockerArchive([image])));
    expect(fault).toMatchObject({ kind, code });
    expect(fault.fields['blob']).toBe(`${image.diffIds[1]!.slice(7)}/layer.tar`);
    if (entry !== undefined) expect(fault.fields['entry']).toContain(entry);
    await expectEmpty(station);
  });

  it('is refused for too many entries', async () => {
    const { limits } = station.settings;
    station.settings.limits = {
      ...limits,
      tar: { ...limits.tar, entries: 100 },
      layer: { ...limits.layer, entries: 100 },
    };
    try {
      const image = imageOf(layerTar(Array.from({ length: 101 }, (_, i) => file(`f${i}`))));
      const fault = await faultOf(station.push(dockerArchive([image])));
      expect(fault).toMatchObject({ kind: 'invalid', code: 'too-many-entries', fields: { limit: 100 } });
      const deep = imageOf(layerTar([file(`${'d/'.repeat(200)}f`)]));
      expect(await faultOf(station.push(dockerArchive([deep])))).toMatchObject({ code: 'too-many-entries' });
    } finally {
      station.settings.limits = limits;
    }
    await expectEmpty(station);
  });

  it('is refused for its size', async () => {
    const { limits } = station.settings;
    station.settings.limits = { ...limits, layerSize: 100_000 };
    try {
      const sparse = (name: string): Buffer[] => [
        paxHeader({
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': name,
          'GNU.sparse.realsize': '60000',
        }),
        rawEntry({ name: 'GNUSparseFile.0/big' }, padded('0\n')),
      ];
      const holes = imageOf(rawTar(...sparse('one'), ...sparse('two')));
      expect(await faultOf(station.push(dockerArchive([holes])))).toMatchObject({
        kind: 'invalid',
        code: 'layer-too-big',
      });
      const image = imageOf(layerTar([file('a', bytesOf(1, 100_000))]));
      expect(await faultOf(station.push(dockerArchive([image])))).toMatchObject({
        kind: 'invalid',
        code: 'layer-too-big',
      });
    } finally {
      station.settings.limits = limits;
    }
    await expectEmpty(station);
  });

  it('leaves the station as good as before', async () => {
    const image = imageOf(layerTar([file('a', 'x')]));
    const { record } = await station.push(dockerArchive([image]));
    expect((await station.verify(record)).problems).toEqual([]);
    await clear(station);
  });

  it('is refused when the disk would be too full', async () => {
    const { reserveBytes } = station.settings;
    station.settings.reserveBytes = 2 ** 52;
    try {
      const fault = await faultOf(station.push(dockerArchive([imageOf(layerTar([]))])));
      expect(fault).toMatchObject({ kind: 'unavailable', code: 'disk-full', fields: { path: station.root } });
    } finally {
      station.settings.reserveBytes = reserveBytes;
    }
  });
});
