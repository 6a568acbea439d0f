import { decodeProfile, encodeProfile } from '../../src/image/profile/profile-codec.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { buildImage, dockerArchive } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { faultOf } from '../transfer/support/faults.ts';
import { wantOf } from './support/lazy-content.ts';
import { type LazyStation, lazyStation } from './support/lazy-station.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const image = buildImage({
  architecture: 'amd64',
  layers: [
    Array.from({ length: 30 }, (_, i) => file(`lib/${i}`, bytesOf(i, 100 * KiB))),
    [file('big', bytesOf(100, 3 * MiB)), file('small', bytesOf(101, 9000))],
  ],
  names: ['app:1'],
});
type Range = readonly [number, number, number, number];

/** A mount of it that used these, and its end. */
async function run(b: LazyStation, key: string, paths: readonly (readonly [string, number, number])[]) {
  const opened = b.lazy.get(key)!;
  expect(b.lazy.recording(key)).toBe(true);
  b.lazy.used(key, true);
  expect(b.lazy.recording(key)).toBe(true);
  const ranges = paths.map(([path, first, end]): Range => {
    const { layer, object } = wantOf(b, opened, path);
    return [layer, object, first, end];
  });
  const before = b.lazy.profiles.profile(key);
  for (const range of ranges) b.lazy.touched(key, [range]);
  b.lazy.used(key, false);
  while (JSON.stringify(b.lazy.profiles.profile(key)) === JSON.stringify(before)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const soon = (): AbortSignal => AbortSignal.timeout(30_000);

describe('a start-up profile', () => {
  it('is recorded, merged over runs, and asked for in one batch by the next station', async () => {
    await using a = await lazyStation();
    const { record } = await a.station.push(dockerArchive([image]));
    const key = record.manifests[0]!.root;
    await run(a, key, [
      ['small', 0, 1],
      ['big', 2, 4],
      ['lib/7', 0, 1],
    ]);
    expect(a.lazy.profiles.profile(key)).toMatchObject({ source: 'recorded', runs: 1, ranges: 3 });
    await run(a, key, [
      ['small', 0, 1],
      ['lib/7', 0, 1],
      ['lib/8', 0, 1],
    ]);
    const profile = a.lazy.profiles.profile(key)!;
    expect(profile).toMatchObject({ key, source: 'recorded', runs: 2, bytes: 9000 + 512 * KiB + 200 * KiB });
    const decoded = decodeProfile(await a.lazy.profiles.exportProfile(key));
    expect(decoded).toMatchObject({ root: key, runs: 2 });
    const first = wantOf(a, a.lazy.get(key)!, 'small');
    expect(decoded.ranges[0]).toEqual({ layer: first.layer, object: first.object, first: 0, end: 1 });
    await a.station.store.gc();
    expect(await a.lazy.profiles.exportProfile(key)).toEqual(encodeProfile(decoded));

    for (const reference of ['app:1', record.root]) {
      await using b = await lazyStation({ lazy: { background: 'off' } });
      await b.station.connect(a.station);
      const opened = await b.open(reference);
      while (b.view(opened.key)?.profile !== 'here') await new Promise((resolve) => setTimeout(resolve, 10));
      // what it lists came, and nothing else
      const { byPeer } = b.view(opened.key)!;
      expect(Object.values(byPeer)).toEqual([profile.bytes]);
      const received = b.received(a.station);
      for (const path of ['small', 'lib/7', 'lib/8']) {
        expect(await b.lazy.want(wantOf(b, opened, path), soon())).toEqual({ complete: true });
      }
      expect(await b.lazy.want(wantOf(b, opened, 'big', [2, 4]), soon())).toEqual({ complete: false });
      expect(b.received(a.station)).toBe(received);
      while (b.lazy.profiles.profile(key) === undefined)
        await new Promise((resolve) => setTimeout(resolve, 10));
      expect(b.lazy.profiles.profile(key)).toEqual({ ...profile, source: 'catalogue' });
      expect(b.lazy.recording(key)).toBe(false);
    }
  });

  it('goes with the image to who has it whole, and from there to others', async () => {
    await using a = await lazyStation();
    await using b = await lazyStation();
    await using c = await lazyStation({ lazy: { background: 'off' } });
    const { record } = await a.station.push(dockerArchive([image]));
    const key = record.manifests[0]!.root;
    await run(a, key, [['lib/3', 0, 1]]);
    await b.station.connect(a.station);
    await b.open('app:1');
    await b.reaches(key, 'complete');
    expect(b.station.store.images.get(record.root)?.profiles).toHaveLength(1);
    await a.station.swarm.stop();
    await c.station.connect(b.station);
    await c.open('app:1');
    while (c.view(key)?.profile !== 'here') await new Promise((resolve) => setTimeout(resolve, 10));
    expect(c.lazy.profiles.profile(key)?.bytes).toBe(100 * KiB);
  });

  it('stops being recorded after so many runs, in its window alone, and begins anew when it is forgotten', async () => {
    await using a = await lazyStation({ lazy: { profileRuns: 2, profileWindowMs: 200 } });
    const { record } = await a.station.push(dockerArchive([image]));
    const key = record.manifests[0]!.root;
    await run(a, key, [['lib/1', 0, 1]]);
    a.lazy.used(key, true);
    const { layer, object } = wantOf(a, a.lazy.get(key)!, 'lib/2');
    a.lazy.touched(key, [[layer, object, 0, 1]]);
    while (a.lazy.recording(key)) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(a.changes).toContain(key);
    a.lazy.touched(key, [[layer, object + 1, 0, 1]]);
    a.lazy.used(key, false);
    while (a.lazy.profiles.profile(key)?.runs !== 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(a.lazy.profiles.profile(key)?.bytes).toBe(200 * KiB);
    expect(a.lazy.recording(key)).toBe(false);
    await a.lazy.profiles.forgetProfile(key);
    expect(a.lazy.profiles.profile(key)).toBeUndefined();
    expect(await faultOf(a.lazy.profiles.exportProfile(key))).toMatchObject({ code: 'no-profile' });
    expect(await faultOf(a.lazy.profiles.forgetProfile(key))).toMatchObject({ code: 'no-profile' });
    expect(a.lazy.recording(key)).toBe(true);
  });

  it('is taken from a file, of this image alone', async () => {
    await using a = await lazyStation();
    const { record } = await a.station.push(dockerArchive([image]));
    const key = record.manifests[0]!.root;
    const ranges = [{ layer: 1, object: 0, first: 0, end: 1 }];
    const bytes = encodeProfile({ root: key, runs: 5, ranges });
    expect(await a.lazy.profiles.importProfile(key, bytes)).toMatchObject({
      source: 'imported',
      runs: 5,
      ranges: 1,
    });
    expect(await a.lazy.profiles.exportProfile(key)).toEqual(bytes);
    expect(a.lazy.recording(key)).toBe(false);
    const wrong = [
      encodeProfile({ root: record.root, runs: 1, ranges }),
      encodeProfile({ root: key, runs: 1, ranges: [{ layer: 2, object: 0, first: 0, end: 1 }] }),
      encodeProfile({ root: key, runs: 1, ranges: [{ layer: 1, object: 99, first: 0, end: 1 }] }),
      encodeProfile({ root: key, runs: 1, ranges: [{ layer: 1, object: 0, first: 0, end: 1000 }] }),
      Buffer.from('nonsense'),
    ];
    for (const one of wrong) {
      expect(await faultOf(a.lazy.profiles.importProfile(key, one))).toMatchObject({
        kind: 'corrupt',
        code: 'bad-profile',
      });
    }
    expect(await faultOf(a.lazy.profiles.importProfile(record.root, wrong[0]!))).toMatchObject({
      kind: 'not-found',
      code: 'unknown-image',
    });
    expect(await a.lazy.profiles.exportProfile(key)).toEqual(bytes);
  });

  it('that is of no use keeps nobody from opening the image', async () => {
    await using a = await lazyStation();
    await using b = await lazyStation({ lazy: { background: 'off' } });
    const { record } = await a.station.push(dockerArchive([image]));
    const key = record.manifests[0]!.root;
    const foreign = encodeProfile({
      root: key,
      runs: 1,
      ranges: [{ layer: 9, object: 0, first: 0, end: 1 }],
    });
    for (const bytes of [foreign, Buffer.from('no profile at all')]) {
      const lease = a.station.store.lease('push', { shared: true });
      const { rawCid } = await import('../../src/image/dag/file-dag.ts');
      const { sha256 } = await import('../../src/base/digest.ts');
      const cid = rawCid(sha256(bytes));
      a.station.store.blocks.put(lease, cid, bytes);
      const profile = { root: key, profile: cid.toString(), size: bytes.length, source: 'imported' as const };
      const facts = { ranges: 1, bytes: 1, runs: 1, recorded: [] };
      await a.station.store.images.put({
        ...a.station.store.images.get(record.root)!,
        profiles: [{ ...profile, ...facts }],
      });
      lease.end();
      await b.station.connect(a.station);
      const opened = await b.open('app:1');
      expect(await b.lazy.want(wantOf(b, opened, 'small'), soon())).toEqual({ complete: true });
      expect(b.view(opened.key)?.profile).toBe('none');
      await b.lazy.remove(opened.key);
    }
  });
});
