import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  DagView,
  GcResult,
  ImageDetail,
  ImageSummary,
  PushResult,
  VerifyResult,
} from '../../src/observe/control/views.ts';
import { buildImage, dockerArchive, writeOciLayout } from '../support/image-archive.ts';
import { directory, file, symlink } from '../support/layer-tar.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const group = stationGroup('inspection');
const path = (name: string) => join(group.folder, name);
const image = buildImage({
  layers: [
    [directory('bin'), file('bin/tool', 'a tool\n', { mode: 0o4755 }), symlink('bin/alias', 'tool')],
    [file('data', Buffer.alloc(600_000, 'data'))],
  ],
  names: ['tools:1'],
});
const ID = image.imageId.slice(7, 19);
let station: TestStation;
let other: TestStation;
let pushed: PushResult;
let manifestDigest: string;

beforeAll(async () => {
  writeFileSync(path('image.tar'), dockerArchive([image]));
  [station, other] = await Promise.all([
    group.start('station', { net: NET }),
    group.start('other', { net: NET }),
  ]);
  pushed = await station.json<PushResult>(['push', path('image.tar')]);
  manifestDigest = pushed.manifests[0]?.digest as string;
  await other.connect(station);
}, 60_000);
afterAll(() => group.end());

it('inspect shows ids, layers and what was kept, by name, id, root and address', async () => {
  const shown = await station.ok(['inspect', ID]);
  for (const text of [pushed.imageRoot, pushed.publishedRoot, image.imageId, 'tools:1', 'none kept']) {
    expect(shown).toContain(text);
  }
  for (const reference of ['tools:1', image.imageId, pushed.imageRoot, pushed.address]) {
    const detail = await station.json<ImageDetail>(['inspect', reference]);
    expect(detail).toMatchObject({ root: pushed.imageRoot, state: 'pinned', origin: 'push' });
    expect(detail.layers.map(({ diffId }) => diffId)).toEqual(image.diffIds);
  }
}, 60_000);

it('debug dag walks from the published root to the bytes of the config', async () => {
  const manifest = `${pushed.imageRoot}/manifests/${manifestDigest}`;
  for (const [at, kind, names] of [
    [pushed.publishedRoot, 'directory', [ID]],
    [`${pushed.publishedRoot}/${ID}`, 'directory', ['manifests']],
    [manifest, 'directory', ['config.json', 'layers', 'manifest.json']],
    [`${manifest}/layers/0/tree/bin`, 'directory', ['alias', 'tool']],
    [`${manifest}/config.json`, 'raw', []],
  ] as const) {
    const block = await station.json<DagView>(['debug', 'dag', at]);
    expect(block.kind).toBe(kind);
    expect(block.links.map(({ name }) => name)).toEqual(expect.arrayContaining([...names]));
  }
  const missing = await station.fault(['debug', 'dag', `${manifest}/layers/7`]);
  expect(missing).toMatchObject({ exit: 3, code: 'no-such-path', message: expect.stringContaining('"7"') });
  const config = await station.json<DagView>(['debug', 'dag', `${manifest}/config.json`]);
  expect(config.size).toBe(image.config.length);
}, 60_000);

it('debug layer shows each entry with its mode, and where a link points', async () => {
  const { layers } = await station.json<ImageDetail>(['inspect', ID]);
  const root = layers[0]?.root as string;
  const lines = await station.ok(['debug', 'layer', root]);
  expect(await station.ok(['debug', 'layer', `${pushed.address}/manifests/${manifestDigest}/layers/0`])).toBe(
    lines,
  );
  expect(lines).toMatch(/4755.*\/bin\/tool/);
  expect(lines).toMatch(/\/bin\/alias.*tool/);
}, 60_000);

it('a pull that is cached goes with gc --cached, a pinned one stays', async () => {
  await other.ok(['pull', '--store-only', '--cached', ID]);
  expect(await other.json<ImageSummary[]>(['ls'])).toMatchObject([{ state: 'cached' }]);
  await other.ok(['gc']);
  expect(await other.json<ImageSummary[]>(['ls'])).toHaveLength(1);
  expect((await other.json<GcResult>(['gc', '--cached'])).objects).toBeGreaterThan(0);
  expect(await other.json(['ls'])).toEqual([]);
  await other.ok(['pull', '--store-only', '--cached', ID]);
  // Pulled for keeps, it is pinned, whatever it was.
  await other.ok(['pull', '--store-only', ID]);
  await other.ok(['gc', '--cached']);
  expect(await other.json<ImageSummary[]>(['ls'])).toMatchObject([{ state: 'pinned' }]);
}, 60_000);

it('verify names what was damaged on disk, and a pull brings it back', async () => {
  expect((await other.json<VerifyResult>(['verify', ID])).problems).toEqual([]);
  const { links } = await other.json<DagView>([
    'debug',
    'dag',
    `${pushed.imageRoot}/manifests/${manifestDigest}/layers/1/tree`,
  ]);
  const cid = links[0]?.cid as string;
  truncateSync(join(other.root, 'cas', cid.slice(-3, -1), cid), 1000);
  const { code, out, err } = await other.run(['verify', ID]);
  expect([code, out]).toEqual([7, '']);
  expect(err).toContain(cid);
  expect(err).toMatch(/error: .* is not whole/);
  await other.ok(['pull', '--store-only', ID]);
  expect((await other.json<VerifyResult>(['verify', ID])).problems).toEqual([]);
}, 60_000);

it('trust is kept in order over a restart, and taken back', async () => {
  await other.ok(['trust', 'add', station.id]);
  await other.ok(['trust', 'add', other.id]);
  await other.stop();
  await other.start();
  expect(await other.json(['trust', 'ls'])).toEqual([station.id, other.id]);
  await other.ok(['trust', 'rm', station.id]);
  expect(await other.json(['trust', 'ls'])).toEqual([other.id]);
}, 60_000);

it('an image of several platforms is pushed whole, or one platform of it', async () => {
  const parts = ['amd64', 'arm64'].map((architecture) =>
    buildImage({ architecture, layers: [[file('machine', architecture)]] }),
  );
  writeOciLayout(path('several'), parts, { multiPlatform: 'several:1' });
  const one = await station.json<PushResult>(['push', '--platform', 'linux/arm64', `oci:${path('several')}`]);
  expect(one.manifests.map(({ imageId }) => imageId)).toEqual([parts[1]?.imageId]);
  const all = await station.json<PushResult>(['push', '--platform', 'all', `oci:${path('several')}`]);
  expect(all.manifests.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
  const fault = await station.fault(['push', '--platform', 'linux/s390x', `oci:${path('several')}`]);
  expect(fault).toMatchObject({ exit: 3, code: 'no-such-platform' });
  expect(fault.message).toContain('linux/s390x');
}, 60_000);
