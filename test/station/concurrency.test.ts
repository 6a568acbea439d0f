import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { PeerView, PullResult, PushResult, StationStatus } from '../../src/observe/control/views.ts';
import { type GeneratedImage, generatedBytes, writeGeneratedArchive } from './support/generated-image.ts';
import { emptied, NOTHING, verifiedImages } from './support/image-check.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const group = stationGroup('concurrency');
const base = { seed: 'base', files: 16, bytes: 1_000_000 };
const one: GeneratedImage = { layers: [base, { seed: 'one', files: 8, bytes: 1_000_000 }] };
const two: GeneratedImage = { layers: [base, { seed: 'two', files: 8, bytes: 1_000_000 }] };
const three: GeneratedImage = { layers: [{ seed: 'three', files: 500, bytes: 9000 }, base] };
const archive = (name: string) => join(group.folder, `${name}.tar`);
let first: TestStation;
let second: TestStation;
let third: TestStation;
let pushedOne: PushResult;
let pushedTwo: PushResult;

beforeAll(async () => {
  const images = Object.entries({ one, two, three });
  await Promise.all(images.map(([name, image]) => writeGeneratedArchive(archive(name), image)));
  [first, second, third] = await Promise.all([
    group.start('first', { net: NET, set: ['serve.uploadLimit=6 MiB'] }),
    group.start('second', { net: NET }),
    group.start('third', { net: NET }),
  ]);
  await second.connect(first);
  await third.connect(second);
  pushedOne = await first.json<PushResult>(['push', archive('one')]);
  pushedTwo = await first.json<PushResult>(['push', archive('two')]);
}, 60_000);
afterAll(() => group.end());

const pullOf = (station: TestStation, { address }: PushResult) =>
  station.begin(['--json', 'pull', '--store-only', address]);

async function result(running: ReturnType<typeof pullOf>): Promise<PullResult> {
  const { code, out, err } = await running.done;
  if (code !== 0) throw new Error(err);
  return JSON.parse(out);
}

async function forget(station: TestStation): Promise<void> {
  expect(await emptied(station)).toEqual(NOTHING);
}

it('a station serves from its first block on: the third gets the image while the second still pulls it', async () => {
  const total = generatedBytes(one);
  const along = pullOf(second, pushedOne);
  await along.reached(total / 6);
  const behind = pullOf(third, pushedOne);
  await behind.reached(total / 8);
  // The third has bytes of an image that the second has not got whole.
  expect(await second.json(['ls'])).toEqual([]);
  await Promise.all([result(along), result(behind)]);
  expect(await verifiedImages(third)).toHaveLength(1);
  const sent = (await first.json<PeerView[]>(['peers'])).find(({ id }) => id === second.id)?.sent ?? 0;
  expect(sent).toBeLessThan(total * 1.3);
  expect((await third.json<PeerView[]>(['peers'])).map(({ id }) => id)).toEqual([second.id]);
  await forget(third);
}, 90_000);

it('two images that share a layer are pulled at once, and share it on disk', async () => {
  await forget(second);
  await Promise.all([result(pullOf(second, pushedOne)), result(pullOf(second, pushedTwo))]);
  expect(await verifiedImages(second)).toHaveLength(2);
  const distinct = generatedBytes(one) + generatedBytes(two) - base.files * base.bytes;
  expect((await second.json<StationStatus>(['status'])).usage.objectBytes).toBeLessThan(distinct * 1.02);
}, 90_000);

it('a sweep in the middle of a pull and of a push takes nothing from them', async () => {
  await forget(second);
  const pull = pullOf(second, pushedOne);
  const bytes = readFileSync(archive('three'));
  async function* withSweeps() {
    const PIECE = 64 * 1024;
    for (let at = 0; at < bytes.length; at += PIECE) {
      if (at % (48 * PIECE) === 0) await second.ok(['gc', '--interrupted']);
      yield bytes.subarray(at, at + PIECE);
    }
  }
  const input = Readable.from(withSweeps(), { objectMode: false });
  const push = await second.json<PushResult>(['push', '-'], { input });
  await second.ok(['gc', '--interrupted']);
  await result(pull);
  const roots = (await verifiedImages(second)).map(({ root }) => root);
  expect(roots.sort()).toEqual([push.imageRoot, pushedOne.imageRoot].sort());
}, 90_000);

it('an image removed while another one that shares with it is pulled leaves that one whole', async () => {
  const pull = pullOf(second, pushedTwo);
  await pull.reached(generatedBytes(two) * 0.7);
  for (const { root } of await verifiedImages(second)) await second.ok(['rm', root]);
  await second.ok(['gc', '--interrupted']);
  await result(pull);
  expect((await verifiedImages(second)).map(({ root }) => root)).toEqual([pushedTwo.imageRoot]);
}, 90_000);

it('the same image pulled twice at once is there once', async () => {
  await forget(second);
  const [a, b] = await Promise.all([result(pullOf(second, pushedTwo)), result(pullOf(second, pushedTwo))]);
  expect(a.imageRoot).toBe(b.imageRoot);
  expect(await verifiedImages(second)).toHaveLength(1);
  await forget(second);
}, 90_000);
