import type { PeerView, PullResult, PushResult } from '../../src/observe/control/views.ts';
import { type GeneratedImage, generatedArchive, generatedBytes } from './support/generated-image.ts';
import { NET, residentBytes, stationGroup, type TestStation } from './support/station-process.ts';

const MiB = 2 ** 20;
/** What a transfer may take beyond what the station holds at rest. */
const ALLOWED = 250 * MiB;
const SAMPLE_MS = 100;

const group = stationGroup('large');
afterAll(() => group.end());

/** 3,000 files, half of them text that compresses two to one, half noise; 2.1 GB. */
const image: GeneratedImage = {
  layers: [0, 1, 2].map((layer) => ({ seed: `large-${layer}`, files: 1000, bytes: 716_800, halfText: true })),
  names: ['large:1'],
};

/** Samples the memory of stations while `work` runs. @returns the most that each took beyond what it held before */
async function growth<T>(
  stations: readonly TestStation[],
  resting: readonly number[],
  work: Promise<T>,
): Promise<readonly [T, number[]]> {
  const pids = stations.map((station) => station.pid() as number);
  const most = pids.map(() => 0);
  const sample = () => {
    for (const [at, pid] of pids.entries()) most[at] = Math.max(most[at] as number, residentBytes(pid));
  };
  const timer = setInterval(sample, SAMPLE_MS);
  try {
    const done = await work;
    sample();
    return [done, most.map((bytes, at) => bytes - (resting[at] as number))];
  } finally {
    clearInterval(timer);
  }
}

const figure = (bytes: number) => `${Math.round(bytes / MiB)} MiB`;

it('2 GB go over a private network in flat memory, on one connection', async () => {
  const [here, there] = await Promise.all([
    group.start('here', { net: NET }),
    group.start('there', { net: NET }),
  ]);
  await there.connect(here);
  const resting = [here, there].map((station) => residentBytes(station.pid() as number));

  const pushing = here.json<PushResult>(['push', '-'], { input: generatedArchive(image) });
  const [pushed, pushGrowth] = await growth([here], resting, pushing);
  const pulling = there.json<PullResult>(['pull', '--store-only', pushed.address]);
  const [pulled, pullGrowth] = await growth([here, there], resting, pulling);

  const total = generatedBytes(image);
  expect(pulled.totals.bytes).toBeGreaterThanOrEqual(total);
  const [peer, ...others] = await there.json<PeerView[]>(['peers']);
  expect(others).toEqual([]);
  // The connection that was made in the beginning has carried it all.
  expect(peer).toMatchObject({ id: here.id, direction: 'outbound' });
  expect(peer?.received).toBeGreaterThan(total / 2);
  for (const station of [here, there]) {
    expect(station.log()).not.toMatch(/"level":(40|50|60)/);
  }
  process.stderr.write(
    `large image: at rest ${resting.map(figure).join(' and ')}; push +${pushGrowth.map(figure)} in ${pushed.totals.seconds.toFixed(1)} s; ` +
      `pull +${pullGrowth.map(figure).join(' at the seeder, +')} at the reader, ${figure(pulled.totals.moved)} moved in ${pulled.totals.seconds.toFixed(1)} s\n`,
  );
  for (const grown of [...pushGrowth, ...pullGrowth]) expect(grown).toBeLessThan(ALLOWED);
}, 300_000);
