import { join } from 'node:path';
import type { PullResult, PushResult, StationStatus } from '../../src/observe/control/views.ts';
import { generatedBytes, writeGeneratedArchive } from './support/generated-image.ts';
import { verifiedImages } from './support/image-check.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const group = stationGroup('lost-peers');
const image = { layers: [{ seed: 'lost', files: 48, bytes: 1_000_000 }] };
const archive = join(group.folder, 'image.tar');
const total = generatedBytes(image);
let first: TestStation;
let second: TestStation;
let reader: TestStation;
let address: string;

beforeAll(async () => {
  await writeGeneratedArchive(archive, image);
  const slow = { net: NET, set: ['serve.uploadLimit=12 MiB'] };
  [first, second, reader] = await Promise.all([
    group.start('first', slow),
    group.start('second', slow),
    group.start('reader', { net: NET, set: ['fetch.wait=4s'] }),
  ]);
  [{ address }] = await Promise.all([
    first.json<PushResult>(['push', archive]),
    second.json<PushResult>(['push', archive]),
  ]);
  await reader.connect(first, second);
}, 60_000);
afterAll(() => group.end());

async function forget(): Promise<void> {
  await reader.ok(['rm', address]);
  await reader.ok(['gc', '--interrupted']);
}

it('a seeder that stands still in the middle is left for the other one', async () => {
  const pull = reader.begin(['--json', 'pull', '--store-only', address]);
  await pull.reached(total / 4);
  await second.signal('SIGSTOP');
  try {
    const { code, out, err } = await pull.done;
    expect([code, code === 0 ? '' : err]).toEqual([0, '']);
    expect((JSON.parse(out) as PullResult).totals.bytes).toBeGreaterThanOrEqual(total);
  } finally {
    await second.signal('SIGCONT');
  }
  expect(await verifiedImages(reader)).toHaveLength(1);
  await forget();
}, 90_000);

it('a seeder that dies in the middle is replaced by the other one', async () => {
  const pull = reader.begin(['--json', 'pull', '--store-only', address]);
  await pull.reached(total / 4);
  await second.signal('SIGKILL');
  const { code, err } = await pull.done;
  expect([code, code === 0 ? '' : err]).toEqual([0, '']);
  expect(await verifiedImages(reader)).toHaveLength(1);
  await forget();
}, 90_000);

it('the only seeder that dies: the pull says so, and goes on when it is back', async () => {
  const pull = reader.begin(['--json', 'pull', '--store-only', address]);
  await pull.reached(total / 2);
  await first.signal('SIGKILL');
  const { code, out, err } = await pull.done;
  expect([code, out]).toEqual([4, '']);
  const { fault } = JSON.parse(err.trimEnd().split('\n').at(-1) as string);
  expect(fault).toMatchObject({ kind: 'unavailable' });
  expect(fault.message).toMatch(/block baf/);
  expect(fault.message).toContain(first.id);
  expect(await reader.json(['ls'])).toEqual([]);
  expect((await reader.json<StationStatus>(['status'])).operations).toEqual([]);

  await first.start();
  await reader.connect(first);
  const { totals } = await reader.json<PullResult>(['pull', '--store-only', address]);
  expect(totals.here).toBeGreaterThanOrEqual(total / 4);
  expect(totals.moved).toBeLessThan(total * 0.75);
  expect(await verifiedImages(reader)).toHaveLength(1);
}, 90_000);
