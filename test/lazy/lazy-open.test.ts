import { existsSync } from 'node:fs';
import { storeLayout } from '../../src/store/store-layout.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { buildImage, dockerArchive } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { faultOf } from '../transfer/support/faults.ts';
import { smallImage } from '../transfer/support/images.ts';
import { bytesHere, wantOf } from './support/lazy-content.ts';
import { lazyPair } from './support/lazy-station.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** 16 MiB in two layers, a big file of 16 leaves among them. */
const image = buildImage({
  architecture: 'amd64',
  layers: [
    Array.from({ length: 40 }, (_, i) => file(`lib/${i}`, bytesOf(i, 200 * KiB))),
    [file('big', bytesOf(100, 4 * MiB)), file('small', bytesOf(101, 9000))],
  ],
  names: ['app:1'],
});

describe('a lazy image', () => {
  it('is open before its content is here, and then brings what is read alone', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    expect(opened).toMatchObject({ complete: false, platform: 'linux/amd64', imageId: image.imageId });
    expect(opened.indexes).toHaveLength(2);
    const before = b.received(source);
    expect(before).toBeLessThan(300 * KiB);
    for (const index of opened.indexes) {
      expect(existsSync(storeLayout(b.station.root).object(index))).toBe(true);
    }
    const small = wantOf(b, opened, 'small');
    expect(await b.lazy.want(small, AbortSignal.timeout(10_000))).toEqual({ complete: true });
    expect(bytesHere(b, small.cid, true).equals(bytesOf(101, 9000))).toBe(true);
    expect(b.received(source) - before).toBe(9000);
    const big = wantOf(b, opened, 'big', [3, 5]);
    expect(await b.lazy.want(big, AbortSignal.timeout(10_000))).toEqual({ complete: false });
    expect(b.received(source) - before).toBe(9000 + 2 * 256 * KiB);
    const range = bytesHere(b, big.cid, false).subarray(3 * 256 * KiB, 5 * 256 * KiB);
    expect(range.equals(bytesOf(100, 4 * MiB).subarray(3 * 256 * KiB, 5 * 256 * KiB))).toBe(true);
    // asked again it costs nothing, and the rest makes it whole
    expect(await b.lazy.want(big, AbortSignal.timeout(10_000))).toEqual({ complete: false });
    const rest = wantOf(b, opened, 'big');
    expect(await b.lazy.want(rest, AbortSignal.timeout(10_000))).toEqual({ complete: true });
    expect(b.received(source) - before).toBe(9000 + 4 * MiB);
    expect(bytesHere(b, big.cid, true).equals(bytesOf(100, 4 * MiB))).toBe(true);
    expect(b.view(opened.key)).toMatchObject({ state: 'waiting', imageRoot: opened.imageRoot });
  });

  it('completes by itself, is verified, and is then an image like any pulled one', async () => {
    await using pair = await lazyPair();
    const { source, b } = pair;
    const { record } = await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const view = await b.reaches(opened.key, 'complete');
    expect(view.here).toBe(view.bytes);
    expect(view.byPeer).toEqual({ [source.id]: view.bytes });
    expect(b.changes).toEqual([opened.key]);
    const pinned = b.station.store.images.get(opened.imageRoot);
    expect(pinned).toMatchObject({
      root: record.root,
      names: record.names,
      publishedRoots: record.publishedRoots,
      state: 'pinned',
      shared: true,
      contentSize: record.contentSize,
    });
    expect(pinned?.manifests).toEqual(record.manifests);
    expect((await b.station.verify(pinned!)).problems).toEqual([]);
    expect([...b.station.store.drafts.all()]).toEqual([]);
    expect(b.lazy.get(opened.key)).toMatchObject({ complete: true, indexes: opened.indexes });
    // opened once more it is answered from here
    const received = b.received(source);
    expect(await b.open('app:1')).toMatchObject({ key: opened.key, complete: true });
    expect(b.received(source)).toBe(received);
    const small = wantOf(b, opened, 'small');
    expect(await b.lazy.want(small, AbortSignal.timeout(5_000))).toEqual({ complete: true });
  });

  it('is one image, however it is opened and how often at a time', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    const { address, record } = await source.push(dockerArchive([image]));
    const opened = await Promise.all([
      b.open('app:1'),
      b.open('app:1'),
      b.open(address),
      b.open(record.root),
    ]);
    expect(new Set(opened.map(({ key }) => key)).size).toBe(1);
    expect(b.lazy.list()).toHaveLength(1);
    const again = await b.open('app:1');
    expect(again.key).toBe(opened[0]!.key);
    expect([...b.station.store.drafts.all()]).toHaveLength(1);
  });

  it('is found without a peer once it was opened', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const { key } = await b.open('app:1');
    await b.restart();
    await b.lazy.resume();
    expect(await b.open('app:1')).toMatchObject({ key, complete: false });
    expect(await b.open(image.imageId.slice(7, 19))).toMatchObject({ key });
    expect(b.lazy.get(key)).toMatchObject({ key });
  });

  it('is not opened on the word of somebody nobody trusts, unless by an address or from a named peer', async () => {
    await using pair = await lazyPair({
      network: 'public',
      transfer: { share: 'pushed' },
      lazy: { background: 'off' },
    });
    const { source, b } = pair;
    const { address } = await source.push(dockerArchive([smallImage({ names: ['small:1'] })]));
    const id = smallImage().imageId.slice(7, 19);
    const fault = await faultOf(b.open(id));
    expect(fault).toMatchObject({ kind: 'denied', code: 'untrusted-image', fields: { reference: id } });
    expect(fault.message).toContain(`--from ${source.id}`);
    expect(b.lazy.list()).toEqual([]);
    const opened = await b.open(id, { from: source.id });
    expect(opened.complete).toBe(false);
    await b.lazy.remove(opened.key);
    expect((await b.open(address)).key).toBe(opened.key);
    await b.lazy.remove(opened.key);
    await b.station.swarm.trust.add(source.id);
    expect((await b.open(id)).key).toBe(opened.key);
  });

  it('gives up what was fetched when it is removed, but not while it is mounted', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    await b.lazy.want(wantOf(b, opened, 'big'), AbortSignal.timeout(10_000));
    b.lazy.used(opened.key, true);
    expect(await faultOf(b.lazy.remove('app:1'))).toMatchObject({ kind: 'busy', code: 'image-mounted' });
    b.lazy.used(opened.key, false);
    expect(await b.lazy.remove('app:1')).toBe(opened.imageRoot);
    expect(await b.lazy.remove('app:1')).toBeUndefined();
    expect(b.lazy.get(opened.key)).toBeUndefined();
    await b.station.store.objects.flush();
    await b.station.store.gc();
    expect(b.station.store.usage()).toMatchObject({ objects: 0, blocks: 0, partialBytes: 0 });
  });

  it('becomes whole by a pull of it, too', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    await b.station.pull('app:1');
    await b.reaches(opened.key, 'complete');
    expect(b.changes).toEqual([opened.key]);
    expect([...b.station.store.drafts.all()]).toEqual([]);
  });
});
