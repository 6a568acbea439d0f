import { encode } from 'cborg';
import { digestOfBytes } from '../../../src/base/digest.ts';
import type { ImageRecord } from '../../../src/store/image-records.ts';
import { catalogueOf } from '../../../src/swarm/catalogue/own-catalogue.ts';
import { signCatalogue } from '../../../src/swarm/catalogue/signed-catalogue.ts';
import { writeMessage } from '../../../src/swarm/network/message-exchange.ts';
import { readAll, testNetwork } from '../network/test-network.ts';
import { NETWORK_KEY, publish, soon, type TestStation, testStation } from '../resolve/test-swarm.ts';

const ROOT = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const OTHER = 'bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4';
const diffId = (name: string) => digestOfBytes(Buffer.from(name));
const PROTOCOL = '/shp/catalogue/1';

/** Publishes an image whose one layer has this diffID, computed here or adopted from `source`. */
async function publishLayer(
  station: TestStation,
  seed: number,
  name: string,
  source = 'here',
  shared = true,
) {
  const { record } = await publish(station, seed, { shared: false });
  const layer = {
    diffId: diffId(name),
    digest: diffId(name),
    mediaType: 'x',
    size: 1,
    root: ROOT,
    tarSize: 7,
  };
  await station.store.bindings.put({ diffId: layer.diffId, root: ROOT, tarSize: 7, source });
  const manifests = record.manifests.map((manifest) => ({ ...manifest, layers: [layer] }));
  const lease = station.store.lease('push');
  station.store.blocks.put(lease, (await import('multiformats/cid')).CID.parse(ROOT), new Uint8Array());
  await station.store.images.put({ ...record, manifests, shared });
  lease.end();
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((wake) => setTimeout(wake, 10));
}

describe('own catalogue', () => {
  const layer = { digest: diffId('blob'), mediaType: 'x', size: 1 };
  const record = (root: string, shared: boolean, diff: string): ImageRecord => ({
    root,
    manifests: [
      {
        root: ROOT,
        digest: diffId('m'),
        mediaType: 'm',
        imageId: diffId('i'),
        platform: 'linux/amd64',
        layers: [{ ...layer, diffId: diffId(diff), root: ROOT }],
      },
    ],
    names: ['app'],
    publishedRoots: [],
    state: 'pinned',
    shared,
    keptBlobs: [],
    origin: 'push',
    contentSize: 1,
    createdAt: 5,
    usedAt: 5,
  });

  it('names what is shared, and of its layers what was computed here', async () => {
    await using station = await testStation();
    const { bindings } = station.store;
    await bindings.put({ diffId: diffId('mine'), root: ROOT, tarSize: 1, source: 'here' });
    await bindings.put({ diffId: diffId('adopted'), root: ROOT, tarSize: 1, source: '12D3KooWother' });
    await bindings.put({ diffId: diffId('elsewhere'), root: OTHER, tarSize: 1, source: 'here' });
    await bindings.putBlob(layer.digest, diffId('mine'));
    const images = [
      record(OTHER, true, 'mine'),
      record(ROOT, true, 'adopted'),
      record('c', false, 'mine'),
      record('d', true, 'elsewhere'),
    ];
    const catalogue = catalogueOf(images, bindings, 'me');
    expect(catalogue.images.map(({ root }) => root)).toEqual([ROOT, OTHER, 'd'].sort());
    expect(catalogue.bindings).toEqual([
      { diffId: diffId('mine'), root: ROOT, tarSize: 1, blobs: [layer.digest] },
    ]);
  });
});

describe('catalogue exchange', () => {
  it('brings the bindings that a trusted station computed, at once and as they come', async () => {
    await using a = await testStation();
    await using b = await testStation();
    await b.swarm.trust.add(a.id);
    await publishLayer(a, 1, 'first');
    await publishLayer(a, 2, 'adopted', '12D3KooWother');
    await publishLayer(a, 3, 'private', 'here', false);
    await b.swarm.connect(a.addr, soon());
    await until(() => b.store.bindings.get(diffId('first')) !== undefined);
    expect(b.store.bindings.get(diffId('first'))).toEqual({
      diffId: diffId('first'),
      root: ROOT,
      tarSize: 7,
      source: a.id,
    });
    await publishLayer(a, 4, 'second');
    await until(() => b.store.bindings.get(diffId('second')) !== undefined);
    expect(b.store.bindings.get(diffId('adopted'))).toBeUndefined();
    expect(b.store.bindings.get(diffId('private'))).toBeUndefined();
  });

  it('takes none from a station that is not trusted, and forgets them when trust ends', async () => {
    await using a = await testStation();
    await using b = await testStation();
    await publishLayer(a, 1, 'layer');
    await b.swarm.connect(a.addr, soon());
    await b.swarm.resolve({ kind: 'id', prefix: 'ffffff' }, { signal: soon() }).catch(() => {});
    expect(b.store.bindings.get(diffId('layer'))).toBeUndefined();
    await b.swarm.trust.add(a.id);
    await until(() => b.store.bindings.get(diffId('layer')) !== undefined);
    await b.swarm.trust.remove(a.id);
    expect(b.store.bindings.get(diffId('layer'))).toBeUndefined();
  });

  it('never replaces what was computed here', async () => {
    await using a = await testStation();
    await using b = await testStation();
    await b.swarm.trust.add(a.id);
    await b.store.bindings.put({ diffId: diffId('layer'), root: OTHER, tarSize: 1, source: 'here' });
    await publishLayer(a, 1, 'layer');
    await publishLayer(a, 2, 'after');
    await b.swarm.connect(a.addr, soon());
    await until(() => b.store.bindings.get(diffId('after')) !== undefined);
    expect(b.store.bindings.get(diffId('layer'))).toMatchObject({ root: OTHER, source: 'here' });
  });

  it('believes members where the setting says so', async () => {
    await using a = await testStation();
    await using b = await testStation({ trustMembers: 'all' });
    await publishLayer(a, 1, 'layer');
    await b.swarm.connect(a.addr, soon());
    await until(() => b.store.bindings.get(diffId('layer')) !== undefined);
    expect(b.store.bindings.get(diffId('layer'))?.source).toBe(a.id);
  });

  it('keeps its version over a restart and changes it with its content', async () => {
    await using a = await testStation();
    const version = () => a.store.values.get<{ version: number }>('catalogue-version')?.version ?? 0;
    const first = version();
    await publish(a, 1);
    await until(() => version() > first);
    await publish(a, 2, { shared: false });
    await new Promise((wake) => setTimeout(wake, 300));
    expect(version()).toBe(first + 1);
  });

  it.each([
    ['garbage', () => Buffer.from('garbage')],
    ['nothing', () => encode({})],
    ['a catalogue that is none', () => encode({ version: 1, catalogue: Buffer.from('x') })],
    ['nesting without end', () => Buffer.alloc(100_000, 0x81)],
  ])('survives a trusted station that answers with %s', async (_name, reply) => {
    let asked = 0;
    await using liar = await testNetwork({ networkKey: NETWORK_KEY }, ({ stations }) =>
      stations.handle(
        PROTOCOL,
        async (stream) => {
          await readAll(stream);
          asked++;
          await writeMessage(stream, reply());
          await stream.closeWrite();
        },
        { maxInbound: 4 },
      ),
    );
    await using b = await testStation();
    await b.swarm.trust.add(liar.identity.peerId);
    await b.swarm.connect(liar.addr, soon());
    await until(() => asked > 0);
    await expect(b.swarm.resolve({ kind: 'id', prefix: 'ffffff' }, { signal: soon() })).rejects.toMatchObject(
      {
        code: 'unknown-image',
      },
    );
    expect(b.swarm.peers()).toMatchObject([{ id: liar.identity.peerId, station: true, trusted: true }]);
  });

  it('takes no catalogue that another peer signed', async () => {
    await using victim = await testStation();
    await publishLayer(victim, 1, 'victim');
    let asked = 0;
    await using liar = await testNetwork({ networkKey: NETWORK_KEY }, ({ stations }) =>
      stations.handle(
        PROTOCOL,
        async (stream) => {
          await readAll(stream);
          asked++;
          const catalogue = await signCatalogue(
            {
              peer: victim.id,
              version: 9,
              images: [],
              bindings: [{ diffId: diffId('lie'), root: ROOT, tarSize: 1, blobs: [] }],
            },
            liar.identity.privateKey,
          );
          await writeMessage(stream, encode({ version: 9, catalogue }));
          await stream.closeWrite();
        },
        { maxInbound: 4 },
      ),
    );
    await using b = await testStation();
    await b.swarm.trust.add(liar.identity.peerId);
    await b.swarm.trust.add(victim.id);
    await b.swarm.connect(liar.addr, soon());
    await until(() => asked > 0);
    await b.swarm.connect(victim.addr, soon());
    await until(() => b.store.bindings.get(diffId('victim')) !== undefined);
    expect(b.store.bindings.get(diffId('lie'))).toBeUndefined();
  });
});
