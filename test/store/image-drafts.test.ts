import {
  brokenParts,
  bytesOf,
  cidOf,
  leavesOf,
  storeImage,
  testImage,
  writeObject,
} from './store-fixture.ts';
import { suiteStore } from './suite-store.ts';

const CHUNK = 262_144;

describe('drafts', () => {
  const { store, reopen } = suiteStore('drafts');

  const large = bytesOf(1, 3 * CHUNK);
  const small = bytesOf(2, 4000);
  const image = testImage([large, small]);
  const draft = { key: image.record.manifests[0]!.root, record: image.record, memo: { any: ['thing'] } };

  /** Directories, one whole file, and one leaf of the large file. */
  async function storePart(): Promise<void> {
    const lease = store.lease('read');
    for (const { cid, bytes } of image.blocks) store.blocks.put(lease, cid, bytes);
    writeObject(store, lease, small);
    const info = { cid: cidOf(large), size: large.length, leaves: leavesOf(large) as Uint8Array };
    const partial = await store.objects.partial(lease, info);
    await partial.putLeaf(1, large.subarray(CHUNK, 2 * CHUNK));
    await store.objects.flush(lease);
    await store.drafts.put(draft);
    lease.end();
  }
  const leafIsHere = async (): Promise<boolean> => {
    const lease = store.lease('read');
    const info = { cid: cidOf(large), size: large.length, leaves: leavesOf(large) as Uint8Array };
    const partial = await store.objects.partial(lease, info);
    lease.end();
    return partial.hasLeaf(1);
  };

  it('keep what is here of an image that is not whole, over sweeps and openings', async () => {
    await storePart();
    for (let opening = 0; opening < 3; opening++) {
      await store.gc({ interrupted: true, cached: true });
      expect(store.drafts.get(draft.key)).toEqual(draft);
      expect(store.objects.has(cidOf(small))).toBe(true);
      expect(await leafIsHere()).toBe(true);
      await reopen();
    }
    expect([...store.drafts.all()]).toEqual([draft]);
  });

  it('spare what they name from a sweep that began before they were there', async () => {
    const before = store.lease('push');
    storeImage(store, before, image);
    await store.objects.flush(before);
    const lease = store.lease('read');
    for (const bytes of image.files) lease.see(cidOf(bytes));
    for (const { cid } of image.blocks) lease.see(cid);
    before.end();
    const sweep = store.gc();
    await store.drafts.put(draft);
    lease.end();
    await sweep;
    expect(brokenParts(store, image)).toEqual([]);
  });

  it('give all back when they are removed', async () => {
    await storePart();
    expect(await store.drafts.remove(draft.key)).toBe(true);
    expect(await store.drafts.remove(draft.key)).toBe(false);
    await store.gc();
    expect(store.usage()).toMatchObject({ objects: 0, blocks: 0, partialBytes: 0 });
  });

  it('keep a cached image from being given up while it is used', async () => {
    const lease = store.lease('push');
    storeImage(store, lease, image);
    const record = { ...image.record, state: 'cached' as const };
    await store.images.put(record);
    lease.end();
    await store.drafts.put({ ...draft, record });
    await store.gc({ cached: true });
    expect(store.images.get(record.root)).toEqual(record);
    await store.drafts.remove(draft.key);
    await store.gc({ cached: true });
    expect(store.images.get(record.root)).toBeUndefined();
  });

  it('tell when the file of an object can be read', async () => {
    const lease = store.lease('push');
    expect(await store.objects.readable(cidOf(small))).toBe(false);
    store.objects.putWhole(lease, cidOf(small), small);
    expect(await store.objects.readable(cidOf(small))).toBe(true);
    lease.end();
  });
});
