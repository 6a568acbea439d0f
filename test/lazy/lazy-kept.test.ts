import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CID } from 'multiformats/cid';
import { verifyImage } from '../../src/transfer/verify-image.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { buildImage, dockerArchive } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { requirement } from '../support/requirement.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { faultOf } from '../transfer/support/faults.ts';
import { smallImage } from '../transfer/support/images.ts';
import { transferStation } from '../transfer/support/two-stations.ts';
import { wantOf } from './support/lazy-content.ts';
import { lazyPair, lazyStation } from './support/lazy-station.ts';
import { recordingLogger } from './support/recording-logger.ts';
import { stationAt } from './support/station-at.ts';

const MiB = 1024 * 1024;
const image = buildImage({
  architecture: 'amd64',
  layers: [
    Array.from({ length: 40 }, (_, i) => file(`lib/${i}`, bytesOf(i, MiB / 4))),
    [file('big', bytesOf(100, 6 * MiB)), file('small', bytesOf(101, 9000))],
  ],
  names: ['app:1'],
});
const slow = { swarm: { serve: { uploadLimit: 6 * MiB } } };
const soon = (): AbortSignal => AbortSignal.timeout(30_000);
const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 10));
};

describe('what is here of a lazy image', () => {
  it('stays over a restart of the station, which goes on with it', async () => {
    await using pair = await lazyPair(slow);
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    await until(() => b.view(opened.key)!.here > 6 * MiB);
    await b.restart();
    // a sweep that comes before anything is resumed takes nothing
    await b.station.store.gc({ interrupted: true, cached: true });
    await b.lazy.resume();
    expect(b.lazy.get(opened.key)).toMatchObject({ complete: false, indexes: opened.indexes });
    await b.station.connect(source);
    const view = await b.reaches(opened.key, 'complete');
    const moved = Object.values(view.byPeer).reduce((sum, bytes) => sum + bytes, 0);
    expect(moved).toBeLessThan(view.bytes - 5 * MiB);
    const record = b.station.store.images.get(opened.imageRoot)!;
    expect((await b.station.verify(record)).problems).toEqual([]);
  });

  it('stays when the station is killed', async () => {
    using folder = tempFolder('lazy-killed');
    await using source = await transferStation(slow);
    const { address } = await source.push(dockerArchive([image]));
    const script = fileURLToPath(new URL('./support/lazy-child.ts', import.meta.url));
    const child = spawn(process.execPath, [script, folder.path, source.swarm.addrs()[0] as string, address], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
    });
    let out = '';
    for await (const chunk of child.stdout) {
      out += chunk;
      if (Number(/here (\d+)\n$/.exec(out)?.[1]) > 6 * MiB) break;
    }
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    const key = /key (\S+)/.exec(out)?.[1] as string;
    const again = await stationAt(folder.path);
    try {
      await again.store.gc({ interrupted: true });
      await again.lazy.resume();
      expect(again.lazy.get(key)).toMatchObject({ complete: false });
      await again.swarm.connect(source.swarm.addrs()[0] as string, soon());
      await until(() => again.lazy.list()[0]?.state === 'complete');
      const [view] = again.lazy.list();
      const moved = Object.values(view!.byPeer).reduce((sum, bytes) => sum + bytes, 0);
      expect(moved).toBeLessThan(view!.bytes - 4 * MiB);
      const [record] = [...again.store.images.all()];
      const checked = await verifyImage(again.components, again.settings, record!, {
        onProgress: () => {},
        signal: soon(),
      });
      expect(checked.problems).toEqual([]);
    } finally {
      await again.stop();
    }
  });

  it('is brought again where an index was lost', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const want = wantOf(b, opened, 'small');
    await b.station.store.quarantine(CID.parse(opened.indexes[1] as string));
    await b.restart({ background: 'auto' });
    await b.lazy.resume();
    expect(b.lazy.get(opened.key)).toBeUndefined();
    await b.station.connect(source);
    await b.reaches(opened.key, 'complete');
    expect(b.lazy.get(opened.key)).toMatchObject({ complete: true, indexes: opened.indexes });
    expect(await b.lazy.want(want, soon())).toEqual({ complete: true });
  });

  it('is served to others from the first block on', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    await using c = await lazyStation({ lazy: { background: 'off', waitMs: 3_000 } });
    const { address } = await source.push(dockerArchive([image]));
    const opened = await b.open(address);
    const want = wantOf(b, opened, 'big', [2, 4]);
    await b.lazy.want(want, soon());
    await source.swarm.stop();
    await c.station.connect(b.station);
    await c.open(address);
    expect(await c.lazy.want(want, soon())).toEqual({ complete: false });
    expect(c.view(opened.key)?.byPeer).toEqual({ [b.station.id]: 512 * 1024 });
    expect(await faultOf(c.lazy.want({ ...want, first: 5, end: 6 }, soon()))).toMatchObject({
      code: 'no-peer-has-block',
      fields: { peers: [b.station.id] },
    });
  });

  it('stays while sweeps run, and what nothing keeps goes although it is open', async () => {
    await using pair = await lazyPair(slow);
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const { store } = b.station;
    for (let sweeps = 0; b.view(opened.key)?.state !== 'complete'; sweeps++) {
      await store.gc({ interrupted: true, cached: true });
      expect(sweeps).toBeLessThan(10_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const record = store.images.get(opened.imageRoot)!;
    expect((await b.station.verify(record)).problems).toEqual([]);
    await store.gc();
    expect((await b.station.verify(record)).problems).toEqual([]);
  });

  it('does not hold the disk of images that are removed meanwhile', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    await b.lazy.want(wantOf(b, opened, 'small'), soon());
    await b.restart();
    await b.lazy.resume();
    await until(() => b.view(opened.key)?.state === 'waiting');
    const { record } = await b.station.push(dockerArchive([smallImage({ names: ['other:1'] })]));
    await b.restart();
    const objects = b.station.store.usage().objects;
    await b.station.store.images.remove(record.root);
    await b.station.store.gc();
    expect(b.station.store.usage().objects).toBeLessThan(objects);
    await b.lazy.resume();
    await b.station.connect(source);
    expect(await b.lazy.want(wantOf(b, opened, 'lib/1'), soon())).toEqual({ complete: true });
  });

  it('counts as mounted over a restart, until it is said that it is not', async () => {
    await using pair = await lazyPair();
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    b.lazy.used(opened.key, true);
    await b.reaches(opened.key, 'complete');
    expect(() => b.lazy.checkUnused(opened.imageRoot)).toThrow(
      expect.objectContaining({ kind: 'busy', code: 'image-mounted' }),
    );
    await b.restart();
    await b.lazy.resume();
    expect(b.lazy.mounted()).toEqual([opened.key]);
    expect(() => b.lazy.checkUnused(opened.imageRoot)).toThrow(/mounted/);
    // whatever becomes of its record
    await b.station.store.images.remove(opened.imageRoot);
    await b.station.store.gc();
    expect(b.station.store.usage().objects).toBeGreaterThan(40);
    b.lazy.used(opened.key, false);
    b.lazy.checkUnused(opened.imageRoot);
    await until(() => [...b.station.store.drafts.all()].length === 0);
    await b.station.store.gc();
    expect(b.station.store.usage()).toMatchObject({ objects: 0, blocks: 0 });
  });
});

const isRoot = process.getuid?.() === 0;
if (requirement('lazy image on a full disk', isRoot, 'it needs root to mount a small tmpfs')) {
  it('waits with the rest of an image while the disk has no room for it, and goes on by itself', async () => {
    using folder = tempFolder('lazy-room');
    const disk = join(folder.path, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk]);
    await using source = await transferStation();
    await source.push(dockerArchive([image]));
    const root = join(disk, 'root');
    mkdirSync(root);
    const b = await stationAt(root);
    try {
      const ballast = join(disk, 'ballast');
      writeFileSync(ballast, Buffer.alloc(34 * MiB));
      await b.swarm.connect(source.swarm.addrs()[0] as string, soon());
      const opened = await b.lazy.open({ reference: 'app:1', onProgress: () => {}, signal: soon() });
      await until(() => b.lazy.list()[0]?.state === 'waiting');
      expect(b.lazy.list()[0]?.why).toMatch(/disk/);
      const at = { station: { root } } as unknown as Parameters<typeof wantOf>[0];
      expect(await b.lazy.want(wantOf(at, opened, 'small'), soon())).toEqual({ complete: true });
      rmSync(ballast);
      await until(() => b.lazy.list()[0]?.state === 'complete');
      expect(b.store.images.get(opened.imageRoot)?.names).toContain('app:1');
    } finally {
      await b.stop();
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('fails reads on a full disk by themselves, and goes on when there is room', async () => {
    using folder = tempFolder('lazy-full');
    const disk = join(folder.path, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk]);
    await using source = await transferStation();
    await source.push(dockerArchive([image]));
    const root = join(disk, 'root');
    mkdirSync(root);
    const logger = recordingLogger();
    const b = await stationAt(root, { logger, lazy: { background: 'off' } });
    try {
      await b.swarm.connect(source.swarm.addrs()[0] as string, soon());
      const opened = await b.lazy.open({ reference: 'app:1', onProgress: () => {}, signal: soon() });
      const at = { station: { root } } as unknown as Parameters<typeof wantOf>[0];
      const first = wantOf(at, opened, 'lib/1');
      expect(await b.lazy.want(first, soon())).toEqual({ complete: true });
      const ballast = join(disk, 'ballast');
      // less than the reserve is left: the database can commit, and no file is written any more
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize - MiB));
      for (const path of ['lib/2', 'big']) {
        const fault = await faultOf(b.lazy.want(wantOf(at, opened, path), soon()));
        expect(fault).toMatchObject({ kind: 'unavailable', code: 'disk-full', fields: { file: path } });
        expect(logger.lines).toContainEqual(
          expect.objectContaining({
            level: 'warn',
            fields: expect.objectContaining({ code: 'disk-full', file: path, image: 'app:1' }),
          }),
        );
      }
      expect(await b.lazy.want(first, soon())).toEqual({ complete: true });
      rmSync(ballast);
      for (const path of ['lib/2', 'big']) {
        expect(await b.lazy.want(wantOf(at, opened, path), soon())).toEqual({ complete: true });
      }
    } finally {
      await b.stop();
      execFileSync('umount', ['-l', disk]);
    }
  });
}
