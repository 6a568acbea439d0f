import { cpSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CID } from 'multiformats/cid';
import { sha256 } from '../../src/base/digest.ts';
import { rawCid } from '../../src/image/dag/file-dag.ts';
import { storeLayout } from '../../src/store/store-layout.ts';
import { tempFolder } from '../support/temp-folder.ts';
import {
  brokenParts,
  bytesOf,
  cidOf,
  openTestStore,
  storeImage,
  testImage,
  writeObject,
} from './store-fixture.ts';
import { suiteStore } from './suite-store.ts';

const CHUNK = 262_144;

function objectFiles(root: string): string[] {
  const { cas } = storeLayout(root);
  return readdirSync(cas).flatMap((folder) => readdirSync(`${cas}/${folder}`));
}

describe('the sweep', () => {
  const { store, root, reopen } = suiteStore('sweep');

  it('keeps what images name and gives the rest back', async () => {
    const lease = store.lease('push');
    const common = bytesOf(1, 4000);
    const kept = testImage([common, bytesOf(2, 3 * CHUNK)]);
    const removed = testImage([common, bytesOf(3, 5000), bytesOf(4, 2 * CHUNK)]);
    for (const image of [kept, removed]) {
      storeImage(store, lease, image);
      await store.images.put(image.record);
    }
    lease.end();
    expect(await store.gc()).toMatchObject({ objects: 0, blocks: 0, bytes: 0 });
    expect(await store.images.remove(removed.record.root)).toBe(true);
    expect(await store.images.remove(removed.record.root)).toBe(false);
    const report = await store.gc();
    expect(report).toMatchObject({ objects: 2, blocks: 7, heldBytes: 0 });
    expect(report.bytes).toBeGreaterThanOrEqual(5000 + 2 * CHUNK);
    expect(brokenParts(store, kept)).toEqual([]);
    expect(store.objects.has(cidOf(bytesOf(3, 5000)))).toBe(false);
    expect(objectFiles(root())).toHaveLength(2);
    await store.images.remove(kept.record.root);
    await store.gc();
    expect(store.usage()).toEqual({ objects: 0, objectBytes: 0, partialBytes: 0, blocks: 0, blockBytes: 0 });
    expect(objectFiles(root())).toEqual([]);
  });

  it('keeps what an open lease has seen or stored, until it ends', async () => {
    const first = store.lease('push');
    const old = bytesOf(5, 1000);
    writeObject(store, first, old);
    first.end();
    await store.objects.flush();
    const lease = store.lease('pull');
    lease.see(cidOf(old));
    const fresh = bytesOf(6, 1000);
    writeObject(store, lease, fresh);
    await store.objects.flush();
    expect(await store.gc()).toMatchObject({ objects: 0, heldBytes: 2000 });
    expect(store.objects.has(cidOf(old))).toBe(true);
    lease.end();
    expect(await store.gc()).toMatchObject({ objects: 2, heldBytes: 0 });
    expect(store.objects.has(cidOf(old))).toBe(false);
  });

  it('keeps the data of an interrupted push for its time, then lets it go', async () => {
    let now = 1_000_000;
    const clock = { now: () => now, monotonic: () => performance.now() };
    await reopen({ keepInterruptedMs: 1000 }, clock);
    const lease = store.lease('push', { subject: 'an image' });
    writeObject(store, lease, bytesOf(7, 1000));
    await reopen({ keepInterruptedMs: 1000 }, clock);
    expect(store.interrupted()).toMatchObject([{ kind: 'push', subject: 'an image', startedAt: 1_000_000 }]);
    const later = store.lease('push');
    writeObject(store, later, bytesOf(8, 500));
    later.end();
    await store.objects.flush();
    expect(await store.gc()).toMatchObject({ objects: 1, heldBytes: 1000 });
    now += 1001;
    expect(await store.gc()).toMatchObject({ objects: 1, heldBytes: 0 });
    expect(store.interrupted()).toEqual([]);
  });

  it('ends interrupted leases when told to', async () => {
    const lease = store.lease('push');
    writeObject(store, lease, bytesOf(9, 1000));
    await reopen();
    expect(await store.gc({ interrupted: true })).toMatchObject({ objects: 1 });
    expect(store.interrupted()).toEqual([]);
  });

  it('takes the shared mark from what no shared image keeps any more', async () => {
    const shared = { sharedOnly: true };
    const lease = store.lease('push');
    const common = bytesOf(10, 2000);
    const open = testImage([common, bytesOf(11, 2000)], { shared: true });
    const hidden = testImage([common, bytesOf(12, 2000)]);
    for (const image of [open, hidden]) storeImage(store, lease, image);
    await store.images.put(hidden.record);
    expect(store.blocks.size(cidOf(common), shared)).toBeUndefined();
    await store.images.put(open.record);
    lease.end();
    for (const { cid } of open.blocks) expect(store.blocks.size(cid, shared)).toBeDefined();
    for (const bytes of open.files) expect(store.blocks.size(cidOf(bytes), shared)).toBe(2000);
    expect(store.blocks.size(cidOf(hidden.files[1] as Buffer), shared)).toBeUndefined();
    await store.gc();
    expect(store.blocks.size(cidOf(common), shared)).toBe(2000);
    await store.images.put({ ...open.record, shared: false });
    await store.gc();
    expect(store.blocks.size(cidOf(common), shared)).toBeUndefined();
    expect(store.blocks.size(open.blocks[0]?.cid as CID, shared)).toBeUndefined();
    expect([...brokenParts(store, open), ...brokenParts(store, hidden)]).toEqual([]);
  });

  it('drops cached images, least recently used first, above their limit', async () => {
    await reopen({ cacheMaxBytes: 2500 });
    const lease = store.lease('pull');
    const images = [1, 2, 3].map((usedAt) =>
      testImage([bytesOf(20 + usedAt, 1000)], { state: 'cached', usedAt }),
    );
    const pinned = testImage([bytesOf(30, 5000)]);
    for (const image of [...images, pinned]) {
      storeImage(store, lease, image);
      await store.images.put(image.record);
    }
    lease.end();
    store.images.touch(images[0]?.record.root as string);
    await store.gc();
    const left = [...store.images.all()].map(({ root }) => root).sort();
    const expected = [images[0], images[2], pinned].map((image) => image?.record.root as string).sort();
    expect(left).toEqual(expected);
    expect(store.objects.has(cidOf(bytesOf(22, 1000)))).toBe(false);
    await store.gc({ cached: true });
    expect([...store.images.all()].map(({ root }) => root)).toEqual([pinned.record.root]);
    expect(store.usage().objects).toBe(1);
  });

  it('runs by itself after a removal', async () => {
    await reopen({ sweepDelayMs: 10 });
    const lease = store.lease('push');
    const image = testImage([bytesOf(40, 1000)]);
    storeImage(store, lease, image);
    await store.images.put(image.record);
    lease.end();
    await store.images.remove(image.record.root);
    while (store.usage().objects > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(store.usage().blocks).toBe(0);
  });

  it('answers joined callers with one sweep, and stops when told to', async () => {
    const [first, second] = [store.gc(), store.gc()];
    expect(first).toBe(second);
    await first;
    const lease = store.lease('push');
    for (let file = 0; file < 200; file++) writeObject(store, lease, bytesOf(1000 + file, 10));
    await store.objects.flush(lease);
    lease.end();
    await expect(store.gc({ signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await store.gc()).toMatchObject({ objects: 200 });
  });

  it('keeps an image that is pinned out of old data while it runs', async () => {
    const lease = store.lease('push');
    const image = testImage([bytesOf(60, 1000), bytesOf(61, 3 * CHUNK)]);
    storeImage(store, lease, image);
    // Much to go over, so that the pin comes to its end before the sweep does.
    for (let block = 0; block < 20_000; block++) {
      const bytes = Buffer.from(`filler ${block}`);
      store.blocks.put(lease, rawCid(sha256(bytes)), bytes);
    }
    await store.objects.flush(lease);
    lease.end();
    const sweeping = store.gc();
    const second = store.lease('push');
    storeImage(store, second, image);
    await store.images.put(image.record);
    second.end();
    await sweeping;
    expect(brokenParts(store, image)).toEqual([]);
    await store.gc();
    expect(store.usage()).toMatchObject({ objects: 2, blocks: image.blocks.length });
  });

  it('unlinks files without a row that a crash left', async () => {
    const lease = store.lease('push');
    const image = testImage([bytesOf(50, 1000)]);
    storeImage(store, lease, image);
    await store.images.put(image.record);
    lease.end();
    await store.objects.flush();
    // The folder as a kill at this moment would leave it.
    using killed = tempFolder('killed');
    cpSync(root(), killed.path, { recursive: true });
    rmSync(storeLayout(killed.path).lock);
    const orphan = storeLayout(killed.path).object(cidOf(bytesOf(51, 10)).toString());
    await mkdir(dirname(orphan), { recursive: true });
    await writeFile(orphan, bytesOf(51, 10));
    const restarted = await openTestStore(killed.path);
    await restarted.gc();
    expect(objectFiles(killed.path)).toEqual([cidOf(bytesOf(50, 1000)).toString()]);
    expect(brokenParts(restarted, image)).toEqual([]);
    await restarted.close();
  });
});
