import { join } from 'node:path';
import type { ImageSummary, PushResult, StationStatus } from '../../src/observe/control/views.ts';
import { writeGeneratedArchive } from './support/generated-image.ts';
import { verifiedImages } from './support/image-check.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const group = stationGroup('copies');
const archive = (name: string) => join(group.folder, `${name}.tar`);
let source: TestStation;
let second: TestStation;
let third: TestStation;

beforeAll(async () => {
  const seeds = ['one', 'two', 'three'];
  await Promise.all(
    seeds.map((seed) =>
      writeGeneratedArchive(archive(seed), {
        layers: [{ seed, files: 3, bytes: 20_000 }],
        names: [`${seed}:1`],
      }),
    ),
  );
  [source, second, third] = await Promise.all([
    group.start('source', { net: NET, set: ['limits.pushes=1'] }),
    group.start('second', { net: NET }),
    group.start('third', { net: NET }),
  ]);
  await source.connect(second, third);
}, 60_000);
afterAll(() => group.end());

const operations = async () => (await source.json<StationStatus>(['status'])).operations;
const copiesOf = async (station: TestStation, name: string) =>
  (await station.json<ImageSummary[]>(['ls'])).find(({ names }) => names.includes(name))?.copies;

it('push --copies waits until so many others hold the image, and says how many do', async () => {
  const push = source.begin(['push', '--copies', '2', archive('one')]);
  const said = await push.said('0 of 2 other stations hold it, waiting for more\n');
  const address = /^(\/ipfs\/\S+) is published/m.exec(said)?.[1] as string;
  // It is published, and takes no turn of other pushes, of which one may run at a time.
  expect(await operations()).toMatchObject([{ kind: 'copies', subject: archive('one') }]);
  await source.ok(['push', archive('two')]);
  expect(await second.ok(['pull', '--store-only', 'one:1'])).toMatch(/^pulled /);
  await push.said('1 of 2 other stations hold it');
  await third.ok(['pull', '--store-only', 'one:1']);
  expect(await push.done).toMatchObject({ code: 0, out: `published as ${address}\n` });
  expect(await operations()).toEqual([]);
  // Held by enough already: nothing to wait for.
  expect(await source.ok(['push', '--copies', '1', archive('one')])).toBe(`published as ${address}`);
}, 60_000);

it.each(['SIGINT', 'SIGTERM'] as const)(
  'a wait for copies that %s ends leaves the image published',
  async (name) => {
    const push = source.begin(['push', '--copies', '1', archive('three')]);
    await push.said('0 of 1 other stations hold it');
    push.child.kill(name);
    const { code, out, err } = await push.done;
    expect([code, out]).toEqual([130, '']);
    expect(err).toMatch(/^\/ipfs\/\S+ is published; 0 of 1 .*\ninterrupted; run it again: .*\n$/ms);
    while ((await operations()).length > 0);
    const images = await verifiedImages(source);
    expect(images.map(({ names }) => names)).toContainEqual(expect.arrayContaining(['three:1']));
  },
  60_000,
);

it('a station that shares nothing takes no push that is to be copied', async () => {
  const closed = await group.init('closed', { net: NET });
  await closed.start('share=none');
  const fault = await closed.fault(['push', '--copies', '1', archive('one')]);
  expect(fault).toMatchObject({ exit: 2, kind: 'invalid', code: 'not-shared' });
  expect(await closed.json(['ls'])).toEqual([]);
  await closed.stop();
}, 60_000);

it('ls counts the copies of connected stations, and rm warns of the last one', async () => {
  const { imageRoot } = await source.json<PushResult>(['push', archive('one')]);
  expect(await copiesOf(source, 'one:1')).toBe(2);
  expect(await copiesOf(source, 'two:1')).toBe(0);
  expect(await source.ok(['ls'])).toMatch(/^one:1 .* pinned, shared +2 /m);
  // The third is connected to the source alone.
  expect(await copiesOf(third, 'one:1')).toBe(1);
  expect(await second.run(['rm', 'one:1'])).toEqual({ code: 0, out: `removed ${imageRoot}\n`, err: '' });
  await third.stop();
  expect(await source.run(['rm', 'one:1'])).toEqual({
    code: 0,
    out: `removed ${imageRoot}\n`,
    err: 'note: this was the last known copy: no connected station holds it\n',
  });
  await third.start();
  // What was pulled counts like what was pushed: it may be gone where it came from.
  expect((await third.run(['rm', 'one:1'])).err).toContain('this was the last known copy');
}, 60_000);
