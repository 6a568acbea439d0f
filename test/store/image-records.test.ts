import { CID } from 'multiformats/cid';
import { directoryDag } from '../../src/image/dag/directory-dag.ts';
import type { ImageRecord } from '../../src/store/image-records.ts';
import { brokenParts, bytesOf, cidOf, storeImage, testImage, writeObject } from './store-fixture.ts';
import { suiteStore } from './suite-store.ts';

describe('image records', () => {
  const { store, reopen } = suiteStore('images');

  it('are found by root, name and any prefix of an id, and are there after opening again', async () => {
    const lease = store.lease('push');
    const image = testImage([bytesOf(1, 1000)], { names: ['jbenet/go-ipfs', 'jbenet/go-ipfs:latest'] });
    storeImage(store, lease, image);
    await store.images.put(image.record);
    lease.end();
    const [manifest] = image.record.manifests;
    const check = (): void => {
      expect(store.images.get(image.record.root)).toEqual(image.record);
      expect([...store.images.all()]).toEqual([image.record]);
      expect(store.images.byName('jbenet/go-ipfs')).toEqual([image.record]);
      expect(store.images.byName('jbenet')).toEqual([]);
      for (const id of [manifest?.imageId, manifest?.digest] as string[]) {
        expect(store.images.byId(id.slice(7, 19))).toEqual([image.record]);
        expect(store.images.byId(id.slice(7))).toEqual([image.record]);
      }
      expect(store.images.byId('')).toEqual([]);
      expect(store.images.byId('sha256:')).toEqual([]);
    };
    check();
    await reopen();
    check();
  });

  it('are refused where a block, an object or a kept blob is not here', async () => {
    const lease = store.lease('push');
    const image = testImage([bytesOf(2, 1000), bytesOf(3, 600_000)]);
    const refused = async (record: ImageRecord, missing: CID): Promise<void> => {
      await expect(store.images.put(record)).rejects.toMatchObject({
        kind: 'invalid',
        code: 'incomplete-image',
        fields: { image: record.root, missing: expect.arrayContaining([missing.toString()]) },
      });
      expect(store.images.get(record.root)).toBeUndefined();
    };
    for (const { cid, bytes } of image.blocks) store.blocks.put(lease, cid, bytes);
    writeObject(store, lease, bytesOf(2, 1000));
    await refused(image.record, cidOf(bytesOf(3, 600_000)));
    writeObject(store, lease, bytesOf(3, 600_000));
    const blob = cidOf(bytesOf(4, 10));
    const keptBlob = {
      digest: `sha256:${'0'.repeat(64)}` as const,
      cid: blob.toString(),
      size: 10,
      mediaType: 'x',
    };
    await refused({ ...image.record, keptBlobs: [keptBlob] }, blob);
    await store.images.put(image.record);
    lease.end();
  });

  it('keep the directories of published roots and of the image root, and nothing of other platforms', async () => {
    const lease = store.lease('pull');
    const image = testImage([bytesOf(5, 1000)]);
    const other = testImage([bytesOf(6, 1000)]);
    storeImage(store, lease, image);
    storeImage(store, lease, other);
    const link = (name: string, text: string) => ({ name, cid: CID.parse(text), tsize: 1 });
    const inner = directoryDag([link('go-ipfs', image.record.root)]);
    const published = directoryDag([
      link('c1d9bf8d8844', image.record.root),
      { name: 'jbenet', cid: inner.cid, tsize: inner.tsize },
    ]);
    const both = [image, other].map(({ record }, index) =>
      link(`m${index}`, record.manifests[0]?.root as string),
    );
    const manifests = directoryDag(both);
    const root = directoryDag([{ name: 'manifests', cid: manifests.cid, tsize: manifests.tsize }]);
    const outline = [inner, published, manifests, root].flatMap(({ blocks }) => blocks);
    for (const { cid, bytes } of outline) store.blocks.put(lease, cid, bytes);
    await store.images.put({
      ...image.record,
      root: root.cid.toString(),
      publishedRoots: [
        published.cid.toString(),
        'bafybeihqwzd3o6q6v3pmwhzjy22vokhr767burokmqemg63hptx2nqd7ym',
      ],
    });
    lease.end();
    await store.gc();
    for (const { cid } of outline) expect(store.blocks.has(cid)).toBe(true);
    const own = new Set(image.record.manifests.map((manifest) => manifest.root));
    expect(own.size).toBe(1);
    expect(brokenParts(store, image).filter((cid) => own.has(cid))).toEqual([]);
    expect(store.objects.has(cidOf(bytesOf(5, 1000)))).toBe(true);
    expect(store.objects.has(cidOf(bytesOf(6, 1000)))).toBe(false);
  });

  it('keep a block of their own that was here only as a leaf of a file nobody keeps', async () => {
    const lease = store.lease('pull');
    const leaf = bytesOf(8, 262_144);
    writeObject(store, lease, Buffer.concat([leaf, bytesOf(9, 10)]));
    const image = testImage([leaf]);
    for (const { cid, bytes } of image.blocks) store.blocks.put(lease, cid, bytes);
    await store.objects.flush(lease);
    expect(store.objects.has(cidOf(leaf))).toBe(false);
    await store.images.put(image.record);
    lease.end();
    expect(await store.gc()).toMatchObject({ objects: 1 });
    expect(Buffer.compare(store.blocks.getSync(cidOf(leaf)) as Uint8Array, leaf)).toBe(0);
  });

  it('tell their listeners after each change', async () => {
    const lease = store.lease('push');
    const image = testImage([bytesOf(7, 10)]);
    storeImage(store, lease, image);
    let changes = 0;
    const stop = store.images.onChange(() => changes++);
    await store.images.put(image.record);
    expect(changes).toBe(1);
    store.images.touch(image.record.root);
    expect(changes).toBe(1);
    expect(store.images.get(image.record.root)?.usedAt).toBeGreaterThan(1);
    await store.images.remove(image.record.root);
    expect(changes).toBe(2);
    stop();
    await store.images.put(image.record);
    expect(changes).toBe(2);
    lease.end();
  });
});
