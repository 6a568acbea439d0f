import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../src/base/digest.ts';
import { rawCid } from '../../src/image/dag/file-dag.ts';
import { storeLayout } from '../../src/store/store-layout.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { bytesOf, cidOf, openTestStore, writeObject } from './store-fixture.ts';
import { suiteStore } from './suite-store.ts';

const CHUNK = 262_144;

describe('objects', () => {
  const { store, root, reopen } = suiteStore('objects');

  const sizes = [
    0,
    1,
    4096,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    3 * CHUNK,
    1024 * 1024,
    1024 * 1024 + 1,
    9 * CHUNK + 7,
  ];
  it.each(sizes)('keeps %i bytes under the CID that ipfs add gives them', async (size) => {
    const bytes = bytesOf(size, size);
    const lease = store.lease('push');
    const finished = writeObject(store, lease, bytes, 50_001);
    expect(finished.cid.toString()).toBe(cidOf(bytes).toString());
    expect(finished).toMatchObject({ size, written: size });
    expect(store.objects.has(finished.cid)).toBe(true);
    expect(store.objects.readSync(finished.cid, 0, size + 10).equals(bytes)).toBe(true);
    await store.objects.flush(lease);
    expect((await store.objects.read(finished.cid, 0, size + 10)).equals(bytes)).toBe(true);
    expect(store.objects.info(finished.cid)).toMatchObject({ size });
    const path = storeLayout(root()).object(finished.cid.toString());
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(readdirSync(storeLayout(root()).temporary)).toEqual([]);
    lease.end();
  });

  it('can be read as soon as it is finished', async () => {
    const lease = store.lease('push');
    const small = bytesOf(1, 1000);
    const big = bytesOf(2, 5 * CHUNK + 3);
    for (const bytes of [small, big]) {
      const { cid } = writeObject(store, lease, bytes);
      const [part, rest] = await Promise.all([
        store.objects.read(cid, 10, 20),
        store.objects.read(cid, bytes.length - 5, 50),
      ]);
      expect(part.equals(bytes.subarray(10, 30))).toBe(true);
      expect(rest.equals(bytes.subarray(-5))).toBe(true);
    }
    lease.end();
  });

  it('writes nothing for content that is here already, small or large', async () => {
    const lease = store.lease('push');
    const all = [bytesOf(1, 20_000), bytesOf(2, 700_000), bytesOf(3, 12 * CHUNK), bytesOf(4, 12 * CHUNK + 5)];
    for (const bytes of all) expect(writeObject(store, lease, bytes).written).toBe(bytes.length);
    await store.objects.flush(lease);
    for (const bytes of all) expect(writeObject(store, lease, bytes, 10_007).written).toBe(0);
    await store.objects.flush(lease);
    expect(store.usage().objects).toBe(all.length);
    lease.end();
  });

  it('finds a large object again without being told its size, and leaves no second file', async () => {
    const lease = store.lease('push');
    const bytes = bytesOf(5, 8 * CHUNK);
    writeObject(store, lease, bytes);
    await store.objects.flush(lease);
    const writer = store.objects.write(lease);
    writer.write(bytes);
    expect(writer.finish().written).toBe(0);
    await store.objects.flush(lease);
    expect(readdirSync(storeLayout(root()).temporary)).toEqual([]);
    lease.end();
  });

  it.each([0, 3 * CHUNK, 5 * CHUNK + 17, 9 * CHUNK + 50])(
    'takes the equal beginning of an object that differs from byte %i on from its candidate',
    async (difference) => {
      const lease = store.lease('push');
      const first = bytesOf(6, 9 * CHUNK + 100);
      writeObject(store, lease, first);
      await store.objects.flush(lease);
      const second = Buffer.from(first);
      second[difference] = (second[difference] as number) ^ 0xff;
      const { cid } = writeObject(store, lease, second, 33_333);
      expect(cid.equals(cidOf(second))).toBe(true);
      expect((await store.objects.read(cid, 0, second.length)).equals(second)).toBe(true);
      expect((await store.objects.read(cidOf(first), 0, first.length)).equals(first)).toBe(true);
      lease.end();
    },
  );

  it('copes with a size that was announced wrong', async () => {
    const lease = store.lease('push');
    const bytes = bytesOf(7, 9 * CHUNK);
    writeObject(store, lease, bytes);
    await store.objects.flush(lease);
    for (const size of [6 * CHUNK, 8 * CHUNK + 1]) {
      const cut = bytes.subarray(0, size);
      const { cid } = writeObject(store, lease, cut, 65_536, bytes.length);
      expect((await store.objects.read(cid, 0, size)).equals(cut)).toBe(true);
    }
    lease.end();
  });

  it('keeps holes as holes', async () => {
    const lease = store.lease('push');
    const writer = store.objects.write(lease);
    const head = bytesOf(8, 5000);
    writer.write(head);
    writer.writeZeros(64 * 1024 * 1024);
    writer.write(head);
    writer.writeZeros(1_000_000);
    const { cid, size, written } = writer.finish();
    expect(written).toBe(2 * head.length);
    const whole = await store.objects.read(cid, 0, size);
    const expected = Buffer.concat([head, Buffer.alloc(64 * 1024 * 1024), head, Buffer.alloc(1_000_000)]);
    expect(whole.equals(expected)).toBe(true);
    expect(cid.equals(cidOf(expected))).toBe(true);
    const onDisk = statSync(storeLayout(root()).object(cid.toString()));
    expect(onDisk.size).toBe(size);
    expect(onDisk.blocks * 512).toBeLessThan(1024 * 1024);
    lease.end();
  });

  it('keeps a small file of zeros', async () => {
    const lease = store.lease('push');
    const writer = store.objects.write(lease, 10_000);
    writer.writeZeros(10_000);
    const { cid } = writer.finish();
    expect((await store.objects.read(cid, 0, 20_000)).equals(Buffer.alloc(10_000))).toBe(true);
    lease.end();
  });

  it('leaves nothing of an aborted writer', async () => {
    const lease = store.lease('push');
    for (const size of [1000, 6 * CHUNK]) {
      const writer = store.objects.write(lease);
      writer.write(bytesOf(9, size));
      writer.abort();
      writer.abort();
      expect(() => writer.finish()).toThrow();
    }
    await store.objects.flush(lease);
    expect(readdirSync(storeLayout(root()).temporary)).toEqual([]);
    expect(store.usage()).toMatchObject({ objects: 0, objectBytes: 0 });
    lease.end();
  });

  it('takes a whole block only under its own CID', () => {
    const lease = store.lease('pull');
    const bytes = bytesOf(10, 100);
    const cid = rawCid(sha256(bytes));
    expect(() => store.objects.putWhole(lease, cid, bytesOf(11, 100))).toThrow(
      expect.objectContaining({ kind: 'corrupt', code: 'block-mismatch' }),
    );
    expect(store.objects.has(cid)).toBe(false);
    expect(() => store.objects.putWhole(lease, cid, bytesOf(10, CHUNK + 1))).toThrow(
      expect.objectContaining({ code: 'not-one-block' }),
    );
    store.objects.putWhole(lease, cid, bytes);
    store.objects.putWhole(lease, cid, bytes);
    expect(store.objects.readSync(cid, 0, 200).equals(bytes)).toBe(true);
    lease.end();
  });

  it('stores nothing under a lease that has ended, and names what is not here', async () => {
    const lease = store.lease('push');
    lease.end();
    expect(() => store.objects.write(lease)).toThrow(expect.objectContaining({ code: 'lease-ended' }));
    const absent = cidOf(bytesOf(12, 10));
    await expect(store.objects.read(absent, 0, 1)).rejects.toMatchObject({
      kind: 'not-found',
      code: 'no-object',
      fields: { block: absent.toString() },
    });
    expect(() => store.objects.readSync(absent, 0, 1)).toThrow(
      expect.objectContaining({ code: 'no-object' }),
    );
  });

  it('is all there after closing and opening again', async () => {
    const lease = store.lease('push');
    const all = [bytesOf(13, 100), bytesOf(14, 3 * CHUNK)];
    for (const bytes of all) writeObject(store, lease, bytes);
    const usage = { objects: 2, objectBytes: 100 + 3 * CHUNK };
    lease.end();
    await reopen();
    expect(store.usage()).toMatchObject(usage);
    for (const bytes of all) {
      expect((await store.objects.read(cidOf(bytes), 0, bytes.length)).equals(bytes)).toBe(true);
    }
    expect(store.interrupted()).toEqual([]);
  });

  it('takes a corrupt object out of use and keeps its file for a look', async () => {
    const lease = store.lease('push');
    const bytes = bytesOf(15, 3 * CHUNK);
    const { cid } = writeObject(store, lease, bytes);
    await store.objects.flush(lease);
    expect(await store.quarantine(cid)).toBe(true);
    expect(store.objects.has(cid)).toBe(false);
    expect(await store.quarantine(cid)).toBe(false);
    expect(writeObject(store, lease, bytes).written).toBe(bytes.length);
    expect((await store.objects.read(cid, 0, 10)).equals(bytes.subarray(0, 10))).toBe(true);
    expect(existsSync(join(root(), 'quarantine', cid.toString()))).toBe(true);
    lease.end();
  });

  it('lets one process in at a time', async () => {
    await expect(openTestStore(root())).rejects.toMatchObject({ kind: 'busy', code: 'store-in-use' });
  });
});

const MINUTES = 60_000;

it(
  'takes a large file with flat memory',
  async () => {
    using folder = tempFolder('flat');
    const store = await openTestStore(folder.path);
    const lease = store.lease('push');
    const piece = bytesOf(1, 1024 * 1024);
    const writer = store.objects.write(lease);
    let peak = 0;
    const before = process.memoryUsage.rss();
    for (let megabyte = 0; megabyte < 1024; megabyte++) {
      piece.writeUInt32LE(megabyte);
      writer.write(piece);
      await store.objects.drained(lease);
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    const { size, cid } = writer.finish();
    expect(size).toBe(1024 ** 3);
    await store.objects.read(cid, size - 10, 10);
    expect(peak - before).toBeLessThan(150 * 1024 * 1024);
    lease.end();
    await store.close();
  },
  5 * MINUTES,
);
