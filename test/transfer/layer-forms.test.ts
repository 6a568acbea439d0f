import { execFileSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { bytesOf } from '../store/store-fixture.ts';
import { type BuiltImage, buildImage, dockerArchive, sha256Digest } from '../support/image-archive.ts';
import { directory, file, hardlink, layerTar, opaque, symlink, whiteout } from '../support/layer-tar.ts';
import { gnuLong, padded, paxHeader, rawEntry, rawHeader, rawTar } from '../support/raw-tar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { archiveFiles } from './support/archive-files.ts';
import { suiteStation } from './support/suite-stations.ts';
import { clear } from './support/two-stations.ts';

const station = suiteStation();

const imageOf = (...tars: Uint8Array[]): BuiltImage =>
  buildImage({ architecture: 'amd64', layers: tars.map((tar) => ({ tar })) });

/** A tar with files, holes, links and long names, written by GNU tar. */
function gnuTar(...options: string[]): Buffer {
  using folder = tempFolder('gnu-tar');
  const root = join(folder.path, 'root');
  mkdirSync(join(root, 'd'.repeat(120), 'e'.repeat(120)), { recursive: true });
  writeFileSync(join(root, 'd'.repeat(120), 'e'.repeat(120), 'f'.repeat(200)), 'deep');
  writeFileSync(join(root, 'plain'), bytesOf(5, 400_000));
  linkSync(join(root, 'plain'), join(root, 'plain-too'));
  symlinkSync(`${'up/'.repeat(60)}x`, join(root, 'link'));
  const holes = openSync(join(root, 'holes'), 'w');
  for (let at = 0; at < 12; at++) writeSync(holes, bytesOf(at, 4096), 0, 4096, at * 300_000);
  closeSync(holes);
  truncateSync(join(root, 'holes'), 5_000_000);
  writeFileSync(join(root, 'only-hole'), '');
  truncateSync(join(root, 'only-hole'), 1_000_000);
  return execFileSync('tar', ['-C', root, '--numeric-owner', '--sort=name', ...options, '-cf', '-', '.'], {
    maxBuffer: 64 * 1024 * 1024,
  });
}

const x4095 = `${'n'.repeat(250)}/`.repeat(16).slice(0, 4000);
const odd = Buffer.from([0x66, 0xff, 0xfe, 0x25, 0xc3, 0x28]);

const FORMS: Record<string, () => Uint8Array> = {
  'GNU tar, gnu': () => gnuTar('--format=gnu'),
  'GNU tar, gnu with holes': () => gnuTar('--format=gnu', '--sparse'),
  'GNU tar, oldgnu with holes': () => gnuTar('--format=oldgnu', '--sparse'),
  'GNU tar, pax': () => gnuTar('--format=pax'),
  'GNU tar, pax with holes 0.0': () => gnuTar('--format=pax', '--sparse', '--sparse-version=0.0'),
  'GNU tar, pax with holes 0.1': () => gnuTar('--format=pax', '--sparse', '--sparse-version=0.1'),
  'GNU tar, pax with holes 1.0': () => gnuTar('--format=pax', '--sparse', '--sparse-version=1.0'),
  'no entry': () => Buffer.alloc(1024),
  'no end marker': () => layerTar([file('a', 'x')]).subarray(0, 1024),
  'bytes behind the end marker': () =>
    Buffer.concat([layerTar([file('a', 'x')]), bytesOf(6, 70_000), layerTar([file('never', 'seen')])]),
  'zeros up to a record': () => Buffer.concat([layerTar([file('a', 'x')]), Buffer.alloc(9000)]),
  'padding that is not zero': () => {
    const tar = layerTar([file('a', 'x'), file('b', 'y')]);
    tar.fill(0x41, 513, 1024);
    return tar;
  },
  duplicates: () =>
    layerTar([
      file('a', bytesOf(7, 300_000)),
      file('a', bytesOf(8, 300_000)),
      file('./a', bytesOf(7, 300_000)),
      directory('b'),
      file('b', 'now a file'),
      file('.wh.c', 'content of a whiteout'),
    ]),
  'special files': () =>
    layerTar([
      { path: 'null', type: 'chardev', devMajor: 1, devMinor: 3 },
      { path: 'sda', type: 'blockdev', devMajor: 8, devMinor: 0xfffff },
      { path: 'pipe', type: 'fifo' },
    ]),
  'extended attributes': () =>
    layerTar([
      file('bin/ping', bytesOf(9, 100), {
        xattrs: { 'security.capability': bytesOf(10, 20), 'user.a': '', 'user.b': bytesOf(11, 60_000) },
      }),
    ]),
  'hard links, within and to lower layers': () =>
    layerTar([file('a', 'x'), hardlink('b', 'a'), hardlink('c', '/./b'), hardlink('d', 'elsewhere/e')]),
  'whiteouts and opaque directories': () =>
    layerTar([whiteout('etc/a'), opaque('var'), file('.wh..wh.plnk/x', 'y')]),
  'links out of the tree': () =>
    layerTar([
      symlink('a', '/etc/passwd'),
      symlink('b', '../../../../etc'),
      file('b/shadow', 'stays inside'),
    ]),
  'names of many bytes and of odd ones': () =>
    layerTar([
      file(x4095, 'long'),
      file(Buffer.concat([Buffer.from('dir/'), odd]), 'odd'),
      symlink('s', odd),
    ]),
  'absolute and dotted names': () =>
    layerTar([file('/abs', '1'), file('a/../b', '2'), file('././c//d', '3')]),
  'times, modes and ids at their ends': () =>
    layerTar([
      file('a', '', { mode: 0o7777, uid: 4_294_967_295, gid: 2_000_000_000, mtime: -1 }),
      file('b', '', { mtime: 253_402_300_800 }),
      file('c', '', { mtime: 1_577_836_800.123 }),
    ]),
  'GNU long names and PAX records of all kinds': () =>
    rawTar(
      paxHeader({ comment: 'global' }, 'g'),
      gnuLong('L', `${'l'.repeat(300)}`.replace(/(.{100})/g, '$1/')),
      rawEntry({ name: 'cut', format: 'gnu' }, 'x'),
      gnuLong('K', 'target'.repeat(40)),
      rawHeader({ name: 'link', typeflag: '2', format: 'gnu' }),
      paxHeader({ path: 'by/pax', mtime: '1.5', uid: '70000', size: '3', 'VENDOR.x': 'y' }),
      rawHeader({ name: 'other', size: 0 }),
      padded('abc'),
      rawEntry({ name: 'v7', format: 'v7' }, 'old'),
      rawEntry({ name: 'contiguous', typeflag: '7' }, 'cont'),
      rawEntry({ name: 'prefixed', prefix: 'p/q' }, 'pre'),
    ),
};

describe('a layer of every form', () => {
  afterAll(() => clear(station));

  it.each(Object.keys(FORMS))('comes back byte for byte: %s', async (name) => {
    const tar = FORMS[name]!();
    const image = imageOf(tar);
    const { record } = await station.push(dockerArchive([image]));
    expect(record.manifests[0]!.layers[0]!.diffId).toBe(image.diffIds[0]);
    const files = archiveFiles(await station.exportFile(record, 'docker-archive'));
    const exported = files.get(`${image.diffIds[0]!.slice(7)}/layer.tar`) as Buffer;
    expect(exported.equals(tar)).toBe(true);
    expect((await station.verify(record)).problems).toEqual([]);
  });

  it('comes back in an image that has all of them, some twice', async () => {
    const tars = Object.values(FORMS).map((form) => form());
    const image = imageOf(...tars, tars[0] as Buffer, Buffer.alloc(1024), tars[1] as Buffer);
    const { record, totals } = await station.push(dockerArchive([image]));
    expect(totals.moved).toBeLessThan(totals.bytes);
    const files = archiveFiles(await station.exportFile(record, 'docker-archive'));
    const [{ Layers }] = JSON.parse(files.get('manifest.json')!.toString());
    expect(Layers.map((path: string) => sha256Digest(files.get(path) as Buffer))).toEqual(image.diffIds);
  });
});
