import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageSummary, PullResult, PushResult, StationStatus } from '../../src/observe/control/views.ts';
import { generatedBytes, writeGeneratedArchive } from './support/generated-image.ts';
import { emptied, NOTHING, verifiedImages } from './support/image-check.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const group = stationGroup('interrupted');
const image = { layers: [{ seed: 'interrupted', files: 40, bytes: 1_000_000 }] };
const archive = join(group.folder, 'image.tar');
const total = generatedBytes(image);
let here: TestStation;
let there: TestStation;

beforeAll(async () => {
  await writeGeneratedArchive(archive, image);
  [here, there] = await Promise.all([
    group.start('here', { net: NET, set: ['serve.uploadLimit=24 MiB'] }),
    group.start('there', { net: NET }),
  ]);
  await there.connect(here);
}, 60_000);
afterAll(() => group.end());

const GOES_ON = 'interrupted; run it again: it goes on where it stopped\n';

async function quiet(station: TestStation): Promise<void> {
  for (;;) {
    const { operations } = await station.json<StationStatus>(['status']);
    if (operations.length === 0) return;
  }
}

let address: string;

it('Ctrl-C in a push ends it, and the next one goes on', async () => {
  const bytes = readFileSync(archive);
  const { promise: half, resolve } = Promise.withResolvers<void>();
  async function* slowly() {
    // As much as a pipe holds: when the next one is asked for, the one before was taken.
    const PIECE = 64 * 1024;
    for (let at = 0; at < bytes.length / 2; at += PIECE) yield bytes.subarray(at, at + PIECE);
    resolve();
    // The rest never comes.
    await new Promise(() => {});
  }
  const push = here.begin(['push', '-'], { input: Readable.from(slowly(), { objectMode: false }) });
  await half;
  push.child.kill('SIGINT');
  const { code, out, err } = await push.done;
  expect([code, out]).toEqual([130, '']);
  expect(err.endsWith(GOES_ON)).toBe(true);
  await quiet(here);
  expect(await here.json(['ls'])).toEqual([]);
  const again = await here.json<PushResult>(['push', archive]);
  expect(again.totals.here).toBeGreaterThan(total / 4);
  expect(again.totals.here).toBeLessThan(total);
  address = again.address;
  expect(await verifiedImages(here)).toHaveLength(1);
}, 60_000);

it('Ctrl-C in a pull ends it, and the next one moves the rest only', async () => {
  const pull = there.begin(['--json', 'pull', '--store-only', address]);
  await pull.reached(total / 2);
  pull.child.kill('SIGINT');
  const { code, out, err } = await pull.done;
  expect([code, out]).toEqual([130, '']);
  const events = err
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  // Half way: how much is here, how fast it comes, from how many, and how long it will take.
  expect(events).toContainEqual(
    expect.objectContaining({ event: 'total', moved: expect.any(Number), peers: 1, eta: expect.any(Number) }),
  );
  const last = events.at(-1);
  expect(last).toMatchObject({ event: 'fault', fault: { code: 'interrupted', message: GOES_ON.trimEnd() } });
  await quiet(there);
  expect(await there.json(['ls'])).toEqual([]);
  const { totals } = await there.json<PullResult>(['pull', '--store-only', address]);
  expect(totals.here).toBeGreaterThanOrEqual(total / 4);
  expect(totals.moved).toBeLessThan(total * 0.75);
  expect(await verifiedImages(there)).toHaveLength(1);
}, 60_000);

it('a station that is stopped in the middle says so to its client, and the next pull goes on', async () => {
  await there.ok(['rm', address]);
  await there.ok(['gc', '--interrupted']);
  const pull = there.begin(['--json', 'pull', '--store-only', address]);
  await pull.reached(total / 4);
  // At once: the command `stop` takes longer to start than the rest of the pull may.
  await there.signal('SIGTERM');
  const { code, out, err } = await pull.done;
  expect([code, out]).toEqual([4, '']);
  const { fault } = JSON.parse(err.trimEnd().split('\n').at(-1) as string);
  expect(fault).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('stopping') });
  while (there.pid() !== undefined) await sleep(20);
  await there.start();
  await there.connect(here);
  expect(await there.json(['ls'])).toEqual([]);
  const { totals } = await there.json<PullResult>(['pull', '--store-only', address]);
  expect(totals.here).toBeGreaterThanOrEqual(total / 8);
  expect(await verifiedImages(there)).toHaveLength(1);
}, 60_000);

it('a client that is killed is a Ctrl-C for its pull', async () => {
  await there.ok(['rm', address]);
  await there.ok(['gc']);
  const pull = there.begin(['--json', 'pull', '--store-only', address]);
  await pull.reached(total / 4);
  pull.child.kill('SIGKILL');
  await pull.done;
  await quiet(there);
  expect(await there.json<ImageSummary[]>(['ls'])).toEqual([]);
  expect(await emptied(there)).toEqual(NOTHING);
}, 60_000);
