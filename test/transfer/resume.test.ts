import { statfs } from 'node:fs/promises';
import { bytesOf } from '../store/store-fixture.ts';
import { type BuiltImage, buildImage, dockerArchive } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { suitePair } from './support/suite-stations.ts';
import {
  clear,
  faultOf,
  type TransferStation,
  transferStation,
  twoStations,
} from './support/two-stations.ts';

const MiB = 1024 * 1024;
const files = (from: number, count: number, size: number) =>
  Array.from({ length: count }, (_, i) => file(`f${from + i}`, bytesOf(from + i, size)));

/** 24 MiB that do not compress, in files of one and of several leaves. */
const large = buildImage({
  architecture: 'amd64',
  layers: [[...files(0, 10, 2 * MiB), ...files(100, 40, 100 * 1024)]],
  names: ['large:1'],
});
const related = buildImage({
  architecture: 'amd64',
  layers: [{ tar: large.layers[0]!.tar }, [...files(200, 4, 500_000), file('again', bytesOf(3, 2 * MiB))]],
  names: ['related:1'],
});

const idOf = (image: BuiltImage): string => image.imageId.slice(7, 19);

/** Pulls, and gives up once about half of the bytes came. Answers the bytes that are here then. */
async function pullHalf(station: TransferStation, reference: string): Promise<number> {
  const cancel = new AbortController();
  let done = 0;
  const fault = await faultOf(
    station.pull(reference, {
      signal: cancel.signal,
      onProgress: (event) => {
        if (event.event !== 'total') return;
        done = event.bytes;
        if (done > 8 * MiB) cancel.abort();
      },
    }),
  );
  expect(fault).toMatchObject({ kind: 'cancelled' });
  expect(done).toBeLessThan(24 * MiB);
  expect([...station.store.images.all()]).toEqual([]);
  await station.store.objects.flush();
  const { objectBytes, partialBytes } = station.store.usage();
  expect(objectBytes + partialBytes).toBeGreaterThan(4 * MiB);
  return objectBytes + partialBytes;
}

describe('a pull that was cut', () => {
  // slow enough to be cut in the middle
  const open = () => twoStations({ swarm: { serve: { uploadLimit: 24 * MiB } } });

  it('goes on where it stopped', async () => {
    await using pair = await open();
    const { a, b } = pair;
    await a.push(dockerArchive([large]));
    const kept = await pullHalf(b, idOf(large));
    const { totals, record } = await b.pull(idOf(large));
    expect(totals.here).toBeGreaterThan(kept - 2 * MiB);
    // what was on its way when the first pull was cut may come twice
    expect(totals.moved).toBeLessThan(totals.bytes - kept / 2);
    expect((await b.verify(record)).problems).toEqual([]);
  });

  it('goes on after the station started again', async () => {
    await using pair = await open();
    const { a, b } = pair;
    await a.push(dockerArchive([large]));
    const kept = await pullHalf(b, 'large:1');
    await b.restart();
    await b.connect(a);
    const { totals, record } = await b.pull('large:1');
    expect(totals.here).toBeGreaterThan(kept - 2 * MiB);
    // what was on its way when the first pull was cut may come twice
    expect(totals.moved).toBeLessThan(totals.bytes - kept / 2);
    expect((await b.verify(record)).problems).toEqual([]);
  });
});

describe('what is here', () => {
  const { a, b } = suitePair();

  it('is not moved again by a pull of the same or of a related image', async () => {
    await a.push(dockerArchive([large]));
    await a.push(dockerArchive([related]));
    const first = await b.pull('large:1');
    expect(first.totals.here).toBe(0);
    const again = await b.pull('large:1');
    expect(again.totals).toMatchObject({ moved: 0, here: again.totals.bytes });
    const second = await b.pull('related:1');
    // the new layer less the file that the image below has too
    expect(second.totals.moved).toBeLessThan(4 * 500_000 + MiB / 2);
    expect(second.totals.here).toBeGreaterThan(23 * MiB);
    expect((await b.verify(second.record)).problems).toEqual([]);
  });

  it('is not written again by a push', async () => {
    const first = await a.push(dockerArchive([large]));
    expect(first.totals).toMatchObject({ here: 0, moved: first.totals.bytes });
    const again = await a.push(dockerArchive([large]));
    expect(again.totals).toMatchObject({ moved: 0, here: again.totals.bytes });
    const second = await a.push(dockerArchive([related]));
    expect(second.totals.moved).toBe(4 * 500_000);
    const { objectBytes } = a.store.usage();
    expect(objectBytes).toBeLessThan(24 * MiB + 4 * 500_000 + MiB);
  });

  it('is what an image that was pulled answers without any peer', async () => {
    await a.push(dockerArchive([large]));
    await b.pull('large:1');
    await using alone = await transferStation();
    const archive = await b.exportFile([...b.store.images.all()][0]!, 'docker-archive');
    const pushed = await alone.push(archive);
    const pulled = await alone.pull('large:1');
    expect(pulled.record.root).toBe(pushed.record.root);
    expect(pulled.totals.moved).toBe(0);
  });

  it('is measured before a pull that the disk has no room for', async () => {
    // one block, five hundred times: little on the wire, much on the disk
    const repeated = buildImage({
      architecture: 'amd64',
      layers: [[file('same', Buffer.alloc(500 * 262_144, 'A'))]],
      names: ['repeated:1'],
    });
    await a.push(dockerArchive([repeated]));
    const { bavail, bsize } = await statfs(b.root);
    b.settings.reserveBytes = bavail * bsize - 64 * MiB;
    try {
      const fault = await faultOf(b.pull('repeated:1'));
      expect(fault).toMatchObject({ kind: 'unavailable', code: 'disk-full', fields: { path: b.root } });
      expect(fault.fields['needed']).toBeGreaterThan(124 * MiB);
    } finally {
      b.settings.reserveBytes = 0;
    }
    expect((await b.pull('repeated:1')).totals.moved).toBeLessThan(MiB);
  });

  it('comes from two peers that have a half each', async () => {
    const halves = buildImage({
      architecture: 'amd64',
      layers: [files(300, 4, MiB), files(400, 4, MiB)],
      names: ['halves:1'],
    });
    const lower = buildImage({ architecture: 'amd64', layers: [files(300, 4, MiB)] });
    const upper = buildImage({ architecture: 'amd64', layers: [files(400, 4, MiB)] });
    await using third = await transferStation();
    await third.connect(a);
    await third.connect(b);
    const { record } = await a.push(dockerArchive([halves]));
    await b.push(dockerArchive([upper]));
    await third.pull('halves:1');
    await clear(third);
    // a keeps the root alone: its upper layer's objects are gone from its disk
    await a.push(dockerArchive([lower]));
    const { CID } = await import('multiformats/cid');
    const { openStoredLayer } = await import('../../src/transfer/stored-layer.ts');
    const { index } = await openStoredLayer(
      a.store,
      CID.parse(record.manifests[0]!.layers[1]!.root as string),
    );
    for (let object = 0; object < index.objectCount; object++) {
      await a.store.quarantine(index.objectCid(object));
    }
    const pulled = await third.pull('halves:1');
    expect((await third.verify(pulled.record)).problems).toEqual([]);
  });
});
