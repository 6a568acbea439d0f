import { setTimeout as sleep } from 'node:timers/promises';
import { CID } from 'multiformats/cid';
import type { DagLink } from '../../src/image/dag/dag-block.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { type BuiltImage, buildImage, dockerArchive } from '../support/image-archive.ts';
import { file, type LayerEntry } from '../support/layer-tar.ts';
import { faultOf } from '../transfer/support/faults.ts';
import { createForger, type Forgery, layerParts, ofImage } from '../transfer/support/forged-image.ts';
import type { TransferStation } from '../transfer/support/two-stations.ts';
import { bytesHere, wantOf } from './support/lazy-content.ts';
import { type LazyStation, lazyPair } from './support/lazy-station.ts';

const imageOf = (...entries: LayerEntry[]): BuiltImage =>
  buildImage({ architecture: 'amd64', layers: [entries] });
const content = bytesOf(1, 300_000);
const genuine = imageOf(file('bin/su', content, { mode: 0o755 }), file('etc/x', 'x'));
/** The same content, and an index that says setuid. */
const evil = imageOf(file('bin/su', content, { mode: 0o4755 }), file('etc/x', 'x'));
const other = imageOf(file('bin/su', bytesOf(2, 1000)), file('etc/y', 'y'));
const soon = (): AbortSignal => AbortSignal.timeout(30_000);

async function pushed(station: TransferStation, built: BuiltImage) {
  const { record } = await station.push(dockerArchive([built]));
  const layer = record.manifests[0]!.layers[0]!.root as string;
  // Tsizes are not looked at by who pulls
  const link: DagLink = { cid: CID.parse(layer), tsize: 1 };
  return { root: record.root, layer, link };
}

async function forged(source: TransferStation, make: (forger: ReturnType<typeof createForger>) => Forgery) {
  const forger = createForger(source.store);
  const root = await forger.image(make(forger));
  forger.end();
  return root;
}

/** It is shown as quarantined, reads nothing, is no image, and stays so over a restart, beside the genuine one. */
async function expectQuarantined(b: LazyStation, root: string, why: RegExp): Promise<void> {
  const opened = await b.open(root);
  const view = await b.reaches(opened.key, 'quarantined');
  expect(view.why).toMatch(why);
  const check = async (): Promise<void> => {
    for (const path of ['bin/su']) {
      const fault = await faultOf(b.lazy.want(wantOf(b, opened, path), soon()));
      expect(fault).toMatchObject({ kind: 'corrupt', code: 'quarantined', fields: { image: root } });
    }
    expect(b.lazy.get(opened.key)).toBeUndefined();
    expect(await faultOf(b.open(root))).toMatchObject({ kind: 'corrupt', code: 'quarantined' });
    expect(b.station.store.images.get(root)).toBeUndefined();
  };
  await check();
  expect(b.changes).toContain(opened.key);
  expect(b.log.some(({ level, fields }) => level === 'error' && fields['key'] === opened.key)).toBe(true);
  await b.restart();
  await b.lazy.resume();
  expect(b.view(opened.key)).toMatchObject({ state: 'quarantined', why: view.why });
  await check();
}

describe('a lazy image that lies', () => {
  it('by an index beside a genuine recipe is quarantined once it is whole', async () => {
    await using pair = await lazyPair();
    const { source, b } = pair;
    const { root, layer } = await pushed(source, genuine);
    const lie = await pushed(source, evil);
    const fake = await forged(source, (forger) => {
      const { index, tree } = layerParts(source.store, lie.layer);
      const parts = { ...layerParts(source.store, layer), index, tree };
      return ofImage(genuine, [forger.layer(parts)]);
    });
    await expectQuarantined(b, fake, /layer 0 is not what it says/);
    // the genuine image is what it is
    await b.station.connect(source);
    const opened = await b.open(root);
    await b.reaches(opened.key, 'complete');
    const record = b.station.store.images.get(root)!;
    expect((await b.station.verify(record)).problems).toEqual([]);
  });

  it('by a foreign diffID over an own layer never makes a binding, in both orders', async () => {
    await using pair = await lazyPair();
    const { source, b } = pair;
    const mine = await pushed(source, other);
    const { root, layer } = await pushed(source, genuine);
    const fake = await forged(source, () => ofImage(genuine, [mine.link]));
    const diffId = genuine.diffIds[0] as `sha256:${string}`;
    await expectQuarantined(b, fake, /is claimed to be/);
    expect(b.station.store.bindings.get(diffId)).toBeUndefined();
    await b.station.connect(source);
    const opened = await b.open(root);
    await b.reaches(opened.key, 'complete');
    expect(b.station.store.bindings.get(diffId)).toMatchObject({ root: layer, source: 'here' });
    // and after the genuine image came
    const fault = await faultOf(b.open(fake));
    expect(fault).toMatchObject({ code: 'quarantined' });
    expect(await b.lazy.remove(fake)).toBe(fake);
    await expectQuarantined(b, fake, /is claimed to be/);
    expect(b.station.store.bindings.get(diffId)).toMatchObject({ root: layer, source: 'here' });
  });

  it('reads as it says until then, from the index that was adopted alone', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    const mine = await pushed(source, other);
    await pushed(source, genuine);
    const fake = await forged(source, () => ofImage(genuine, [mine.link]));
    const opened = await b.open(fake);
    const want = wantOf(b, opened, 'bin/su');
    expect(await b.lazy.want(want, soon())).toEqual({ complete: true });
    expect(bytesHere(b, want.cid, true).equals(bytesOf(2, 1000))).toBe(true);
    expect([...b.station.store.images.all()]).toEqual([]);
    expect(b.station.store.bindings.get(genuine.diffIds[0] as `sha256:${string}`)).toBeUndefined();
  });

  it('by a tree that its index does not make is quarantined when its start is over', async () => {
    await using pair = await lazyPair();
    const { source, b } = pair;
    const { layer } = await pushed(source, genuine);
    const lie = await pushed(source, other);
    const fake = await forged(source, (forger) => {
      const { tree } = layerParts(source.store, lie.layer);
      return ofImage(genuine, [forger.layer({ ...layerParts(source.store, layer), tree })]);
    });
    const opened = await b.open(fake);
    while (b.lazy.list()[0]?.state !== 'quarantined') await sleep(20);
    expect(b.lazy.list()[0]?.why).toMatch(/layer 0 is not what it says: the tree of layer/);
    const want = wantOf(b, opened, 'bin/su');
    expect(await faultOf(b.lazy.want(want, soon()))).toMatchObject({ kind: 'corrupt', code: 'quarantined' });
    expect([...b.station.store.images.all()]).toEqual([]);
  });
});
