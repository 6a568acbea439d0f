import { bytesOf } from '../store/store-fixture.ts';
import { ociLayoutTar } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { smallImage } from './support/images.ts';
import { suitePair } from './support/suite-stations.ts';

const { a, b } = suitePair();
afterEach(() => {
  b.settings.keepBlobs = 'auto';
});

const image = smallImage({
  layers: [
    { entries: [file('one', bytesOf(1, 400_000))], compression: 'gzip' },
    { entries: [file('two', bytesOf(2, 30_000))], compression: 'zstd' },
  ],
  names: ['packed:1'],
});
const blobs = image.layers.map(({ digest }) => digest).sort();
const keptBy = (record: { readonly keptBlobs: readonly { readonly digest: string }[] }) =>
  record.keptBlobs.map(({ digest }) => digest).sort();

describe('the compressed blobs of an image', () => {
  it('come with a pull by address, which asks nobody what the image is', async () => {
    const { address, record } = await a.push(ociLayoutTar([image]));
    expect(keptBy((await b.pull(address, { blobs: true })).record)).toEqual(blobs);
    await b.store.images.remove(record.root);
    await b.store.gc();
    expect(keptBy((await b.pull(record.root, { blobs: true, from: a.id })).record)).toEqual(blobs);
  });

  it('come later to an image that is here without them, and only then', async () => {
    await a.push(ociLayoutTar([image]));
    expect(keptBy((await b.pull('packed:1')).record)).toEqual([]);
    const { record, totals } = await b.pull('packed:1', { blobs: true });
    expect(keptBy(record)).toEqual(blobs);
    expect(totals.moved).toBe(0);
    expect(keptBy(b.store.images.get(record.root)!)).toEqual(blobs);
    expect((await b.verify(record)).problems).toEqual([]);
    // They are held by the image: a sweep leaves them.
    await b.store.gc();
    expect((await b.verify(record)).problems).toEqual([]);
  });

  it('come unasked where all are to be kept, and never where none is', async () => {
    const { address } = await a.push(ociLayoutTar([image]));
    b.settings.keepBlobs = 'never';
    expect(keptBy((await b.pull(address, { blobs: true })).record)).toEqual([]);
    b.settings.keepBlobs = 'always';
    expect(keptBy((await b.pull(address)).record)).toEqual(blobs);
  });

  it('that are not what a peer says are left out with a note, and the image is here all the same', async () => {
    const { record } = await a.push(ociLayoutTar([image]));
    const lease = a.store.lease('push', { shared: true });
    const [first, second] = record.keptBlobs;
    const other = a.store.objects.write(lease, first!.size);
    other.write(bytesOf(9, first!.size));
    const forged = { ...first!, cid: other.finish().cid.toString() };
    const tooLong = { ...second!, size: 10 * second!.size };
    await a.store.images.put({ ...record, keptBlobs: [forged, { ...tooLong, cid: forged.cid }] });
    lease.end();
    const pulled = await b.pull(record.root, { blobs: true });
    expect(keptBy(pulled.record)).toEqual([]);
    expect(b.notes.join('\n')).toContain(`blob ${first!.digest} is not kept`);
    expect((await b.verify(pulled.record)).problems).toEqual([]);
  });
});
