import { existsSync, statSync } from 'node:fs';
import { sha256 } from '../../src/base/digest.ts';
import { rawCid } from '../../src/image/dag/file-dag.ts';
import type { ObjectInfo } from '../../src/store/object-store.ts';
import { storeLayout } from '../../src/store/store-layout.ts';
import { bytesOf, cidOf, leavesOf, testImage, writeObject } from './store-fixture.ts';
import { suiteStore } from './suite-store.ts';

const CHUNK = 262_144;
const leafOf = (bytes: Buffer, leaf: number): Buffer => bytes.subarray(leaf * CHUNK, (leaf + 1) * CHUNK);
const infoOf = (bytes: Buffer): ObjectInfo => ({
  cid: cidOf(bytes),
  size: bytes.length,
  leaves: leavesOf(bytes) as Uint8Array,
});

describe('partial objects', () => {
  const { store, root, reopen } = suiteStore('partial');

  it('becomes an object with its last leaf, in whatever order they come', async () => {
    const bytes = bytesOf(1, 6 * CHUNK + 5);
    const lease = store.lease('pull');
    const partial = await store.objects.partial(lease, infoOf(bytes));
    expect(partial).toMatchObject({ size: bytes.length, leafCount: 7, complete: false });
    for (const leaf of [6, 0, 3, 5, 1, 2]) {
      await partial.putLeaf(leaf, leafOf(bytes, leaf));
      expect(partial.hasLeaf(leaf)).toBe(true);
      expect(store.objects.has(partial.cid)).toBe(false);
    }
    await Promise.all([partial.putLeaf(4, leafOf(bytes, 4)), partial.putLeaf(4, leafOf(bytes, 4))]);
    expect(partial.complete).toBe(true);
    expect((await store.objects.read(partial.cid, 0, bytes.length)).equals(bytes)).toBe(true);
    await store.objects.flush(lease);
    const layout = storeLayout(root());
    expect(existsSync(layout.partial(partial.cid.toString()))).toBe(false);
    expect(existsSync(layout.bits(partial.cid.toString()))).toBe(false);
    const again = await store.objects.partial(lease, infoOf(bytes));
    expect(again.complete).toBe(true);
    await again.putLeaf(0, leafOf(bytes, 0));
    lease.end();
  });

  it('refuses bytes that are not the leaf, leaf hashes that are not the object, and one-block objects', async () => {
    const bytes = bytesOf(2, 3 * CHUNK);
    const lease = store.lease('pull');
    const partial = await store.objects.partial(lease, infoOf(bytes));
    const mismatch = { kind: 'corrupt', code: 'block-mismatch' };
    await expect(partial.putLeaf(0, leafOf(bytes, 1))).rejects.toMatchObject(mismatch);
    await expect(partial.putLeaf(2, leafOf(bytes, 2).subarray(1))).rejects.toMatchObject(mismatch);
    await expect(partial.putLeaf(3, Buffer.alloc(0))).rejects.toMatchObject({ code: 'no-such-leaf' });
    expect(partial.hasLeaf(0)).toBe(false);
    const other = { ...infoOf(bytes), leaves: leavesOf(bytesOf(3, 3 * CHUNK)) as Uint8Array };
    await expect(store.objects.partial(lease, other)).rejects.toMatchObject({ code: 'leaves-mismatch' });
    const wrongSize = { ...infoOf(bytes), size: 2 ** 50 };
    await expect(store.objects.partial(lease, wrongSize)).rejects.toMatchObject({ kind: 'invalid' });
    const small = bytesOf(4, 100);
    await expect(
      store.objects.partial(lease, { cid: cidOf(small), size: small.length }),
    ).rejects.toMatchObject({ code: 'one-block' });
    lease.end();
  });

  it('goes on after closing and opening with the leaves that were here', async () => {
    const bytes = bytesOf(5, 5 * CHUNK);
    const lease = store.lease('pull', { subject: 'some root' });
    const partial = await store.objects.partial(lease, infoOf(bytes));
    await partial.putLeaf(1, leafOf(bytes, 1));
    await partial.putLeaf(4, leafOf(bytes, 4));
    await reopen();
    expect(store.interrupted()).toMatchObject([{ kind: 'pull', subject: 'some root' }]);
    expect(store.usage().partialBytes).toBe(2 * CHUNK);
    await store.gc();
    const second = store.lease('pull');
    const resumed = await store.objects.partial(second, infoOf(bytes));
    expect([0, 1, 2, 3, 4].map((leaf) => resumed.hasLeaf(leaf))).toEqual([false, true, false, false, true]);
    for (const leaf of [0, 2, 3]) await resumed.putLeaf(leaf, leafOf(bytes, leaf));
    expect((await store.objects.read(resumed.cid, 0, bytes.length)).equals(bytes)).toBe(true);
    second.end();
  });

  it('takes leaves that other objects hold: complete, partial, and files of one block', async () => {
    const lease = store.lease('pull');
    const whole = bytesOf(6, 3 * CHUNK);
    const block = bytesOf(7, CHUNK);
    const piecewise = bytesOf(8, 2 * CHUNK);
    writeObject(store, lease, whole);
    writeObject(store, lease, block);
    const source = await store.objects.partial(lease, infoOf(piecewise));
    await source.putLeaf(1, leafOf(piecewise, 1));
    await store.objects.flush(lease);
    const bytes = Buffer.concat([leafOf(whole, 2), block, leafOf(piecewise, 1), bytesOf(9, 77)]);
    const partial = await store.objects.partial(lease, infoOf(bytes));
    expect([0, 1, 2, 3].map((leaf) => partial.hasLeaf(leaf))).toEqual([true, true, true, false]);
    await partial.putLeaf(3, leafOf(bytes, 3));
    expect((await store.objects.read(partial.cid, 0, bytes.length)).equals(bytes)).toBe(true);
    lease.end();
  });

  it('is complete at once where other objects hold all of it, and keeps zeros as a hole', async () => {
    const lease = store.lease('pull');
    const whole = bytesOf(10, 4 * CHUNK);
    writeObject(store, lease, whole);
    await store.objects.flush(lease);
    const bytes = Buffer.concat([leafOf(whole, 3), Buffer.alloc(40 * CHUNK), leafOf(whole, 0)]);
    const partial = await store.objects.partial(lease, infoOf(bytes));
    expect(partial.complete).toBe(true);
    expect((await store.objects.read(partial.cid, 0, bytes.length)).equals(bytes)).toBe(true);
    const onDisk = statSync(storeLayout(root()).object(partial.cid.toString()));
    expect(onDisk.blocks * 512).toBeLessThan(3 * CHUNK);
    lease.end();
  });

  it('serves the leaves that are here, and its inner nodes, while it comes', async () => {
    const lease = store.lease('pull', { shared: true });
    const bytes = bytesOf(11, 180 * CHUNK);
    const partial = await store.objects.partial(lease, infoOf(bytes));
    await partial.putLeaf(7, leafOf(bytes, 7));
    const cidOfLeaf = (leaf: number) => rawCid(sha256(leafOf(bytes, leaf)));
    for (const options of [{}, { sharedOnly: true }]) {
      expect(store.blocks.has(cidOfLeaf(7))).toBe(true);
      expect(store.blocks.size(cidOfLeaf(7), options)).toBe(CHUNK);
      expect(
        Buffer.compare((await store.blocks.get(cidOfLeaf(7), options)) as Buffer, leafOf(bytes, 7)),
      ).toBe(0);
      expect(await store.blocks.get(cidOfLeaf(8), options)).toBeUndefined();
      expect(await store.blocks.get(partial.cid, options)).toBeDefined();
    }
    lease.end();
  });

  it('takes no shared mark from the object that came whole by another way and was pinned meanwhile', async () => {
    const bytes = bytesOf(13, 3 * CHUNK);
    const [pull, push] = [store.lease('pull'), store.lease('push')];
    const partial = await store.objects.partial(pull, infoOf(bytes));
    for (const leaf of [0, 1]) await partial.putLeaf(leaf, leafOf(bytes, leaf));
    const { record, files, blocks } = testImage([bytes], { shared: true });
    for (const file of files) writeObject(store, push, file);
    for (const { cid, bytes: block } of blocks) store.blocks.put(push, cid, block);
    await store.images.put(record);
    expect(store.blocks.size(partial.cid, { sharedOnly: true })).toBeGreaterThan(0);
    await partial.putLeaf(2, leafOf(bytes, 2));
    expect(partial.complete).toBe(true);
    expect(store.blocks.size(partial.cid, { sharedOnly: true })).toBeGreaterThan(0);
    for (const lease of [pull, push]) lease.end();
    await store.images.remove(record.root);
  });

  it('is swept once nothing holds it', async () => {
    const bytes = bytesOf(12, 5 * CHUNK);
    const lease = store.lease('pull');
    const partial = await store.objects.partial(lease, infoOf(bytes));
    await partial.putLeaf(1, leafOf(bytes, 1));
    expect(await store.gc()).toMatchObject({ bytes: 0, heldBytes: CHUNK });
    lease.end();
    expect(await store.gc()).toMatchObject({ bytes: CHUNK, heldBytes: 0 });
    expect(store.usage().partialBytes).toBe(0);
    expect(existsSync(storeLayout(root()).partial(partial.cid.toString()))).toBe(false);
    await expect(partial.putLeaf(2, leafOf(bytes, 2))).rejects.toMatchObject({ code: 'no-object' });
  });
});
