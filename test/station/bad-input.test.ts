import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PushResult } from '../../src/observe/control/views.ts';
import { buildImage, dockerArchive, ociLayoutTar, writeOciLayout } from '../support/image-archive.ts';
import { directory, file, hardlink, layerTar, symlink } from '../support/layer-tar.ts';
import { paxHeader, rawEntry, rawHeader, rawTar } from '../support/raw-tar.ts';
import { emptied, NOTHING, verifiedImages } from './support/image-check.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const group = stationGroup('bad-input');
const path = (name: string) => join(group.folder, name);
let station: TestStation;

beforeAll(async () => {
  station = await group.start('station', { net: NET, set: ['limits.layerSize=64 MiB', 'limits.ratio=20'] });
}, 60_000);
afterAll(() => group.end());

const withLayer = (tar: Uint8Array) =>
  buildImage({ layers: [[file('below', 'x')], { tar }], names: ['bad:1'] });
const good = withLayer(layerTar([file('a', 'content')]));
const zeros = Buffer.alloc(8_000_000);

/** What is pushed, and what of it the error must name. */
const BAD: Record<string, { archive: () => Uint8Array; exit: number; names: RegExp }> = {
  'an archive that was cut': {
    archive: () => dockerArchive([good]).subarray(0, 4000),
    exit: 7,
    names: /layer\.tar|archive/,
  },
  'an archive of noise': {
    archive: () => Buffer.alloc(9000, 'noise'),
    exit: 7,
    names: /no image|tar archive/,
  },
  'an empty archive': { archive: () => Buffer.alloc(0), exit: 7, names: /empty/ },
  'a layer that is not what the config says': {
    archive: () => {
      const tar = layerTar([file('a', 'other')]);
      return dockerArchive([{ ...good, layers: [good.layers[0]!, { ...good.layers[1]!, tar }] }]);
    },
    exit: 7,
    names: new RegExp(`${good.diffIds[1]}`),
  },
  'a manifest that is not what the index says': {
    archive: () => ociLayoutTar([{ ...good, manifest: Buffer.from(`${good.manifest} `) }]),
    exit: 7,
    names: new RegExp(good.manifestDigest.slice(7)),
  },
  'an entry that leaves the root': {
    archive: () => dockerArchive([withLayer(layerTar([file('../../etc/passwd', 'root::0')]))]),
    exit: 2,
    names: /layer\.tar: .*\.\.\/\.\.\/etc\/passwd/,
  },
  'a name of 4,096 bytes': {
    archive: () => dockerArchive([withLayer(layerTar([file(`${'a/'.repeat(2047)}bc`)]))]),
    exit: 2,
    names: /layer\.tar: .*4096|4095/,
  },
  'a negative size': {
    archive: () => dockerArchive([withLayer(rawTar(rawHeader({ name: 'a', size: -1 })))]),
    exit: 7,
    names: /layer\.tar: .*size/,
  },
  'a size that no disk has': {
    archive: () => dockerArchive([withLayer(rawTar(rawHeader({ name: 'huge', size: 2 ** 50 })))]),
    exit: 2,
    names: /layer\.tar: .*huge/,
  },
  'a negative size in records': {
    archive: () => dockerArchive([withLayer(rawTar(paxHeader({ size: '-1' }), rawHeader({ name: 'a' })))]),
    exit: 7,
    names: /layer\.tar: .*size/,
  },
  'a layer above limits.layerSize': {
    archive: () => dockerArchive([withLayer(rawTar(rawHeader({ name: 'big', size: 65 * 2 ** 20 })))]),
    exit: 2,
    names: /layer\.tar: .*(limits\.layerSize|big)/,
  },
  'an archive that grows more than limits.ratio': {
    archive: () =>
      gzipSync(
        Buffer.concat([rawEntry({ name: 'a' }, zeros), ...Array(9).fill(rawEntry({ name: 'b' }, zeros))]),
      ),
    exit: 2,
    names: /limits\.ratio|times/,
  },
};

it.each(Object.keys(BAD))(
  '%s is refused by name',
  async (name) => {
    const { archive, exit, names } = BAD[name]!;
    writeFileSync(path('bad.tar'), archive());
    const { code, out, err } = await station.run(['push', path('bad.tar')]);
    expect({ code, out }).toEqual({ code: exit, out: '' });
    expect(err).toMatch(/^error: /m);
    expect(err).toMatch(names);
  },
  30_000,
);

it('a folder whose manifest names a blob that is not there is refused by name', async () => {
  mkdirSync(path('layout'));
  writeOciLayout(path('layout'), [{ ...good, layers: good.layers.slice(0, 1) }]);
  const fault = await station.fault(['push', `oci:${path('layout')}`]);
  expect(fault).toMatchObject({ exit: 7, kind: 'corrupt', code: 'missing-file' });
  expect(fault.message).toContain(good.layers[1]!.digest.slice(7));
}, 30_000);

it('nothing stays of any of them', async () => {
  expect(await station.json(['ls'])).toEqual([]);
  expect(await emptied(station)).toEqual(NOTHING);
}, 30_000);

it('odd but allowed: long and non-UTF-8 names, links out of the tree as data, one path twice', async () => {
  const tar = layerTar([
    directory('d'),
    file(`${'n'.repeat(200)}/${'m'.repeat(255)}`, 'deep'),
    file(Buffer.from([0x66, 0xff, 0xfe]), 'bytes'),
    symlink('out', '../../../../etc/shadow'),
    symlink('abs', '/etc/shadow'),
    file('twice', 'first'),
    file('twice', 'second'),
    hardlink('d/again', 'twice'),
  ]);
  const image = withLayer(tar);
  writeFileSync(path('odd.tar'), dockerArchive([image]));
  const { imageRoot } = await station.json<PushResult>(['push', path('odd.tar')]);
  expect(await verifiedImages(station)).toHaveLength(1);
  const { layers } = await station.json<{ layers: { root: string }[] }>(['inspect', imageRoot]);
  const lines = await station.ok(['debug', 'layer', layers[1]!.root]);
  expect(lines).toContain('/etc/shadow');
  expect(lines).not.toMatch(/^root:/m);
  await station.ok(['pull', imageRoot, '-o', path('odd-again.tar')]);
  expect(readFileSync(path('odd-again.tar')).includes(tar)).toBe(true);
  expect(await emptied(station)).toEqual(NOTHING);
}, 30_000);
