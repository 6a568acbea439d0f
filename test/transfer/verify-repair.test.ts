import { closeSync, existsSync, openSync, readSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { CID } from 'multiformats/cid';
import { storeLayout } from '../../src/store/store-layout.ts';
import { openStoredLayer } from '../../src/transfer/stored-layer.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { type BuiltImage, ociLayoutTar, sha256Digest } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { archiveFiles } from './support/archive-files.ts';
import {
  BASE,
  imageBlobs,
  imageDescriptor,
  indexDescriptor,
  indexOf,
  layoutTar,
  smallImage,
  UPPER,
} from './support/images.ts';
import { suitePair } from './support/suite-stations.ts';
import type { TransferStation } from './support/two-stations.ts';

const { a, b } = suitePair();

const image: BuiltImage = smallImage({
  layers: [
    { entries: BASE, compression: 'gzip' },
    { entries: UPPER, compression: 'gzip' },
  ],
  names: ['verified:1'],
});

/** Changes one byte of an object's file behind the store's back. */
function damage(station: TransferStation, cid: CID, at: number): void {
  const file = openSync(storeLayout(station.root).object(cid.toString()), 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0]! ^= 0x80;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

async function pulled(): Promise<{
  record: Awaited<ReturnType<TransferStation['pull']>>['record'];
  parts: Record<string, CID>;
}> {
  await a.push(ociLayoutTar([image]));
  const { record } = await b.pull('verified:1', { blobs: true });
  await b.store.objects.flush();
  const layer = await openStoredLayer(b.store, CID.parse(record.manifests[0]!.layers[0]!.root as string));
  let small: CID | undefined;
  let big: CID | undefined;
  for (let object = 0; object < layer.index.objectCount; object++) {
    const size = layer.index.objectSize(object);
    if (size > 500_000) big = layer.index.objectCid(object);
    else if (size > 50_000) small = layer.index.objectCid(object);
  }
  return {
    record,
    parts: {
      'a file of one block': small as CID,
      'a file of several blocks': big as CID,
      'the layer index': layer.indexCid,
      'a kept blob': CID.parse(record.keptBlobs[0]!.cid),
    },
  };
}

describe('verification of an image', () => {
  it('reads every byte and finds nothing wrong with a good one', async () => {
    const { record } = await pulled();
    const found = await b.verify(record);
    expect(found).toMatchObject({ layers: 2, problems: [] });
    expect(found.bytes).toBeGreaterThanOrEqual(record.contentSize);
  });

  it.each(['a file of one block', 'a file of several blocks', 'the layer index', 'a kept blob'])(
    'finds one byte changed in %s, and the next pull repairs it',
    async (part) => {
      const { record, parts } = await pulled();
      const cid = parts[part] as CID;
      damage(b, cid, 30);
      const { problems } = await b.verify(record);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(cid.toString());
      expect(b.store.objects.has(cid)).toBe(false);
      await b.store.objects.flush();
      expect(existsSync(storeLayout(b.root).quarantined(cid.toString()))).toBe(true);

      const again = await b.pull('verified:1', { blobs: part === 'a kept blob' });
      expect(again.record.root).toBe(record.root);
      expect(await b.verify(again.record)).toMatchObject({ problems: [] });
      const files = archiveFiles(await b.exportFile(again.record, 'oci-archive'));
      for (const { digest, blob } of image.layers) {
        expect(files.get(`blobs/sha256/${digest.slice(7)}`)?.equals(blob)).toBe(true);
      }
    },
  );

  it.each([
    ['is cut short', (path: string) => truncateSync(path, 1000)],
    ['is empty', (path: string) => truncateSync(path, 0)],
    ['is gone', (path: string) => rmSync(path)],
  ])('finds a file that %s, and the next pull repairs it', async (_, harm) => {
    for (const part of ['a file of several blocks', 'the layer index', 'a kept blob']) {
      const { record, parts } = await pulled();
      const cid = parts[part] as CID;
      harm(storeLayout(b.root).object(cid.toString()));
      const { problems } = await b.verify(record);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(`object ${cid}`);
      const again = await b.pull('verified:1', { blobs: part === 'a kept blob' });
      expect(await b.verify(again.record)).toMatchObject({ problems: [] });
    }
  });

  it('lets an image be pulled whose damaged blob is not asked for', async () => {
    const { record, parts } = await pulled();
    damage(b, parts['a kept blob'] as CID, 30);
    await b.verify(record);
    const again = await b.pull('verified:1');
    expect(again.record.keptBlobs.map(({ digest }) => digest)).toEqual([image.layers[1]!.digest]);
  });

  it('lets one platform be pulled while another one of the image is damaged here', async () => {
    const amd = smallImage();
    const arm = smallImage({ layers: [[file('arm', bytesOf(70, 400_000))]], architecture: 'arm64' });
    const index = indexOf([imageDescriptor(amd), imageDescriptor(arm)]);
    await a.push(layoutTar([indexDescriptor(index)], [...imageBlobs(amd), ...imageBlobs(arm), index]));
    const reference = sha256Digest(index).slice(7);
    const { record } = await b.pull(reference, { platform: 'linux/arm64' });
    const layer = await openStoredLayer(b.store, CID.parse(record.manifests[0]!.layers[0]!.root as string));
    await b.store.quarantine(layer.index.objectCid(0));
    const pulled = await b.pull(reference, { platform: 'linux/amd64' });
    expect(pulled.manifests).toEqual([amd.manifestDigest]);
    expect((await b.verify(pulled.record)).problems).toEqual([]);
    const repaired = await b.pull(reference, { platform: 'linux/arm64' });
    expect(repaired.record.manifests).toHaveLength(2);
    expect((await b.verify(repaired.record)).problems).toEqual([]);
  });

  it('finds what is missing', async () => {
    const { record, parts } = await pulled();
    const cid = parts['a file of several blocks'] as CID;
    await b.store.quarantine(cid);
    const { problems } = await b.verify(record);
    expect(problems).toEqual([`object ${cid} is not here`]);
  });

  it('of an image damaged where it was pushed is repaired by pushing it again', async () => {
    const { record } = await a.push(ociLayoutTar([image]));
    await a.store.objects.flush();
    const layer = await openStoredLayer(a.store, CID.parse(record.manifests[0]!.layers[0]!.root as string));
    for (const cid of [layer.indexCid, layer.index.objectCid(0), CID.parse(record.keptBlobs[0]!.cid)]) {
      damage(a, cid, 3);
    }
    expect((await a.verify(record)).problems.length).toBeGreaterThan(0);
    const again = await a.push(ociLayoutTar([image]));
    expect(again.record.root).toBe(record.root);
    await a.verify(again.record);
    const third = await a.push(ociLayoutTar([image]));
    expect((await a.verify(third.record)).problems).toEqual([]);
  });
});
