import type { CID } from 'multiformats/cid';
import { dagLinks } from '../../../src/image/dag/dag-node.ts';
import type { TreeRequest } from '../../../src/swarm/block-fetcher.ts';
import { LANE_PROTOCOL } from '../../../src/swarm/lanes/lane-limits.ts';
import { MessagePort } from '../../../src/swarm/lanes/message-port.ts';
import type { Message } from '../../../src/swarm/lanes/messages.ts';
import { MemoryNetwork } from '../lanes/memory-link.ts';
import { memoryStation, noise, rawBlock, type StationOptions } from '../lanes/memory-station.ts';
import { someImage } from '../lanes/some-image.ts';

type TestStation = ReturnType<typeof memoryStation>;
const stations: TestStation[] = [];
afterEach(() => {
  for (const station of stations.splice(0)) station.stop();
});

function add(network: MemoryNetwork, name: string, options: StationOptions = {}): TestStation {
  const station = memoryStation(network, name, options);
  stations.push(station);
  return station;
}

const image = someImage();

const request = (more: Partial<TreeRequest> = {}): TreeRequest => ({
  root: image.published,
  path: image.path,
  platform: 'linux/amd64',
  have: [],
  signal: new AbortController().signal,
  ...more,
});

async function collect(station: TestStation, wanted: TreeRequest) {
  const blocks: { cid: CID; bytes: Uint8Array; peer: string }[] = [];
  for await (const block of station.fetcher.tree(wanted)) blocks.push(block);
  return blocks;
}

const texts = (blocks: Iterable<{ cid: CID }>) =>
  [...new Set([...blocks].map(({ cid }) => cid.toString()))].sort();

describe('a tree want', () => {
  it('brings one platform of an image, parents before children, in one answer', async () => {
    const network = new MemoryNetwork();
    add(network, 'a').blocks.add(image.all);
    const b = add(network, 'b');
    network.connect('b', 'a');
    const blocks = await collect(b, request());
    // The publisher's other name leads to the same image: its directory is on no path.
    expect(texts(blocks)).toEqual(texts(image.amd64));
    expect(blocks.length).toBe(texts(blocks).length);
    const linked = new Set([image.published.toString()]);
    for (const { cid, bytes } of blocks) {
      expect(linked.has(cid.toString())).toBe(true);
      for (const link of dagLinks(cid, bytes)) linked.add(link.toString());
    }
  });

  it('brings all platforms, and leaves out the layers that are here', async () => {
    const network = new MemoryNetwork();
    add(network, 'a').blocks.add(image.all);
    const b = add(network, 'b');
    network.connect('b', 'a');
    const all = await collect(b, request({ platform: 'all' }));
    expect(texts(all)).toEqual(texts(image.both));
    const fewer = await collect(b, request({ platform: 'all', have: image.layerRoots }));
    expect(fewer.length).toBeLessThan(all.length - 12);
    for (const root of image.layerRoots) expect(texts(fewer)).toContain(root.toString());
  });

  it('is taken from the next peer where one lacks a block, without sending a block twice', async () => {
    const network = new MemoryNetwork();
    const a = add(network, 'a');
    a.blocks.add(image.all);
    a.blocks.map.delete(image.amd64.at(-3)!.cid.toString());
    add(network, 'c').blocks.add(image.all);
    const b = add(network, 'b');
    network.connect('b', 'a');
    network.connect('b', 'c');
    const blocks = await collect(b, request({ peers: ['a', 'c'] }));
    expect(texts(blocks)).toEqual(texts(image.amd64));
    expect(blocks.length).toBe(texts(blocks).length);
  });

  it('names the block and the peers where nobody has all of it', async () => {
    const network = new MemoryNetwork();
    const a = add(network, 'a');
    a.blocks.add(image.all);
    const gone = image.amd64.at(-1)!.cid.toString();
    a.blocks.map.delete(gone);
    const b = add(network, 'b');
    network.connect('b', 'a');
    await expect(collect(b, request())).rejects.toMatchObject({
      code: 'no-peer-has-block',
      fields: { block: gone, peers: ['a'] },
    });
  });

  it('refuses what is not shared', async () => {
    const network = new MemoryNetwork();
    const a = add(network, 'a');
    a.blocks.add(image.all);
    a.blocks.unshared.add(image.published.toString());
    const b = add(network, 'b');
    network.connect('b', 'a');
    await expect(collect(b, request())).rejects.toMatchObject({ code: 'no-peer-has-block' });
  });

  it.each([
    [{ path: ['no', 'such'] }, 'no-such-path'],
    [{ platform: 'linux/s390x' }, 'no-such-platform'],
  ])('says so where the root has nothing for %j', async (more, code) => {
    const network = new MemoryNetwork();
    add(network, 'a').blocks.add(image.all);
    const b = add(network, 'b');
    network.connect('b', 'a');
    await expect(collect(b, request(more))).rejects.toMatchObject({ kind: 'not-found', code });
  });

  it('is refused beyond its bound', async () => {
    const network = new MemoryNetwork();
    add(network, 'a').blocks.add(image.all);
    const b = add(network, 'b', { settings: { treeMaxBytes: 1_000_000 } });
    network.connect('b', 'a');
    await expect(collect(b, request())).rejects.toMatchObject({ code: 'tree-too-big' });
  });

  it('is walked block by block through foreign nodes where no station answers', async () => {
    const network = new MemoryNetwork();
    const blocks = new Map(image.all.map(({ cid, bytes }) => [cid.toString(), bytes]));
    const bitswap = {
      get: async (cid: CID) => {
        const bytes = blocks.get(cid.toString());
        if (bytes === undefined) throw new Error('not found');
        return bytes;
      },
    };
    const b = add(network, 'b', { bitswap });
    const came = await collect(b, request());
    expect(texts(came)).toEqual(texts(image.amd64));
    expect(came.every(({ peer }) => peer === 'bitswap')).toBe(true);
  });

  it('ends when it is cancelled', async () => {
    const network = new MemoryNetwork();
    add(network, 'a', { uploadLimit: 100_000 }).blocks.add(image.all);
    const b = add(network, 'b');
    network.connect('b', 'a');
    const ended = new AbortController();
    setTimeout(() => ended.abort(), 100);
    await expect(collect(b, request({ signal: ended.signal }))).rejects.toMatchObject({ kind: 'cancelled' });
  });

  it('waits for a slow consumer without losing a block', async () => {
    const network = new MemoryNetwork();
    add(network, 'a').blocks.add(image.all);
    const b = add(network, 'b');
    network.connect('b', 'a');
    const came: CID[] = [];
    for await (const { cid } of b.fetcher.tree(request())) {
      came.push(cid);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(texts(came.map((cid) => ({ cid })))).toEqual(texts(image.amd64));
  });
});

describe('a hostile server of trees', () => {
  const own = rawBlock(noise(1, 1000));
  const first = image.amd64[0]!;
  const honest = { cids: [first.cid.bytes], lengths: [first.bytes.length], payload: first.bytes };
  const group = (id: number, part: object) => ({ type: 'tree-blocks', id, zstd: false, ...part }) as Message;

  function answering(network: MemoryNetwork, answer: (id: number) => Message[]) {
    network.streams('evil').handle(
      LANE_PROTOCOL,
      (stream) => {
        const port = new MessagePort(stream, 'server', {
          message(message) {
            if (message.type === 'ping') port.send({ type: 'pong', nonce: message.nonce });
            if (message.type === 'tree') for (const part of answer(message.id)) port.send(part);
          },
          received: () => {},
          closed: () => {},
        });
        port.send({ type: 'hello', version: 1, features: 0 });
        port.start();
      },
      { maxInbound: 2 },
    );
  }

  it.each([
    [
      'a block that nothing links',
      (id: number) => [
        group(id, { cids: [own.cid.bytes], lengths: [own.bytes.length], payload: own.bytes }),
        { type: 'tree-end', id } as Message,
      ],
    ],
    [
      'bytes that do not hash to their CID',
      (id: number) => [group(id, { ...honest, payload: first.bytes.map((byte) => byte ^ 1) })],
    ],
  ])('is dropped for %s, and an honest one is asked', async (_what, answer) => {
    const network = new MemoryNetwork();
    answering(network, answer);
    add(network, 'a').blocks.add(image.all);
    const b = add(network, 'b');
    network.connect('b', 'evil');
    network.connect('b', 'a');
    const blocks = await collect(b, request({ peers: ['evil', 'a'] }));
    expect(texts(blocks)).toEqual(texts(image.amd64));
    expect(blocks.every(({ peer }) => peer === 'a')).toBe(true);
    expect(b.dropped).toHaveLength(1);
    expect(b.dropped[0]).toMatch(/^evil/);
  });

  it('loses its lane for a compressed group that is none, and for blocks of a tree nobody asked', async () => {
    for (const answer of [
      (id: number) => [group(id, { ...honest, zstd: true })],
      (id: number) => [group(id + 5, honest)],
      (id: number) => [{ type: 'tree-end', id } as Message],
    ]) {
      const network = new MemoryNetwork();
      answering(network, answer);
      add(network, 'a').blocks.add(image.all);
      const b = add(network, 'b');
      network.connect('b', 'evil');
      network.connect('b', 'a');
      const blocks = await collect(b, request({ peers: ['evil', 'a'] }));
      expect(texts(blocks)).toEqual(texts(image.amd64));
    }
  });
});
