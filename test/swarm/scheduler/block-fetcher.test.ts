import type { FetchRequest } from '../../../src/swarm/block-fetcher.ts';
import { hasBit, setBit } from '../../../src/swarm/lanes/bit-runs.ts';
import { MemoryNetwork } from '../lanes/memory-link.ts';
import { memoryStation, rawBlock, type StationOptions, somePlan, someRoot } from '../lanes/memory-station.ts';

type TestStation = ReturnType<typeof memoryStation>;
const stations: TestStation[] = [];
afterEach(() => {
  for (const station of stations.splice(0)) station.stop();
});

const root = someRoot('image');

function add(network: MemoryNetwork, name: string, options: StationOptions = {}): TestStation {
  const station = memoryStation(network, name, options);
  stations.push(station);
  return station;
}

type Plan = ReturnType<typeof somePlan>;

function seed(network: MemoryNetwork, name: string, { blocks }: Plan, options: StationOptions = {}) {
  const station = add(network, name, options);
  station.blocks.add(blocks);
  station.records.complete(root);
  return station;
}

function request(plan: Plan, more: Partial<FetchRequest> = {}) {
  const got = new Map<number, string>();
  const order: number[] = [];
  const full: FetchRequest = {
    root,
    plan: plan.plan,
    wanted: plan.wanted,
    wantClass: 'background',
    onBlock(index, bytes, peer) {
      expect(got.has(index)).toBe(false);
      // toEqual takes seconds for large arrays.
      expect(Buffer.compare(bytes, plan.blocks[index]!.bytes)).toBe(0);
      got.set(index, peer);
      order.push(index);
    },
    signal: new AbortController().signal,
    ...more,
  };
  return { full, got, order };
}

const mixed = (i: number) => (i % 5 === 0 ? 262_144 : 1 + ((i * 977) % 20_000));

describe('a fetch', () => {
  it('brings every wanted block once, checked, and says from whom', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(200, mixed);
    seed(network, 'a', plan);
    const b = add(network, 'b');
    network.connect('a', 'b');
    const { full, got } = request(plan);
    const report = await b.fetcher.fetch(full);
    expect(got.size).toBe(200);
    expect(report.bytes).toBe(plan.total);
    expect(report.byPeer).toEqual({ a: plan.total });
    expect(report.wireBytes).toBeGreaterThan(plan.total * 0.95);
    expect(b.traffic.traffic('a')!.received).toBe(plan.total);
  });

  it('is done at once where nothing is wanted', async () => {
    const network = new MemoryNetwork();
    const b = add(network, 'b');
    const { full } = request(somePlan(3, mixed), { wanted: new Uint32Array(0) });
    expect((await b.fetcher.fetch(full)).bytes).toBe(0);
  });

  it('brings blocks compressed over a slow link', async () => {
    const network = new MemoryNetwork();
    const blocks = Array.from({ length: 300 }, (_, i) =>
      rawBlock(Buffer.from(`${i} `.concat('all work and no play '.repeat(300)))),
    );
    const digests = new Uint8Array(Buffer.concat(blocks.map(({ cid }) => cid.multihash.digest)));
    const sizes = Uint32Array.from(blocks, ({ bytes }) => bytes.length);
    const total = sizes.reduce((a, b) => a + b, 0);
    const plan = { plan: { count: 300, digests, sizes }, blocks, total, wanted: sizes.map((_, i) => i) };
    seed(network, 'a', plan);
    const b = add(network, 'b');
    network.connect('a', 'b', { delay: 10, rate: 12.5e6 });
    const { full, got } = request(plan);
    const report = await b.fetcher.fetch(full);
    expect(got.size).toBe(300);
    expect(report.wireBytes).toBeLessThan(total / 10);
  });

  it('splits over three seeders by what each gives', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(240, () => 131_072);
    // So low that the limits decide, and not which of them a busy machine lets run.
    for (const name of ['a', 'c', 'd']) seed(network, name, plan, { uploadLimit: name === 'd' ? 5e6 : 10e6 });
    const b = add(network, 'b', { settings: { compress: 'never' } });
    for (const name of ['a', 'c', 'd']) network.connect('b', name);
    const { full } = request(plan);
    const { byPeer } = await b.fetcher.fetch(full);
    expect(Object.keys(byPeer).sort()).toEqual(['a', 'c', 'd']);
    expect(byPeer['a']! / byPeer['c']!).toBeGreaterThan(0.5);
    expect(byPeer['a']! / byPeer['c']!).toBeLessThan(2);
    expect(byPeer['d']!).toBeLessThan(Math.max(byPeer['a']!, byPeer['c']!));
    // Hardly anything came twice.
    expect(network.served('a') + network.served('c') + network.served('d')).toBeLessThan(plan.total * 1.1);
  });

  it('asks nobody again for what it answered it does not have, and takes it from the other', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(60, () => 5000);
    const a = seed(network, 'a', plan);
    for (const { cid } of plan.blocks.slice(20, 40)) a.blocks.map.delete(cid.toString());
    seed(network, 'c', plan, { uploadLimit: 2e6 });
    const b = add(network, 'b');
    network.connect('b', 'a');
    network.connect('b', 'c', { delay: 5 });
    const { full, got } = request(plan);
    await b.fetcher.fetch(full);
    for (let i = 20; i < 40; i++) expect(got.get(i)).toBe('c');
  });

  it('drops a peer that sends wrong bytes, tells why, and takes all from an honest one', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(80, () => 20_000);
    const liar = seed(network, 'liar', plan);
    for (const { cid, bytes } of plan.blocks)
      liar.blocks.map.set(
        cid.toString(),
        bytes.map((byte) => byte ^ 1),
      );
    seed(network, 'honest', plan);
    const b = add(network, 'b');
    network.connect('b', 'liar');
    network.connect('b', 'honest', { delay: 10 });
    const { full, got } = request(plan);
    const report = await b.fetcher.fetch(full);
    expect([...got.values()].every((peer) => peer === 'honest')).toBe(true);
    expect(report.byPeer).toEqual({ honest: plan.total });
    expect(b.dropped).toHaveLength(1);
    expect(b.dropped[0]).toMatch(/^liar sent wrong bytes for bafk/);
    const again = request(plan);
    await b.fetcher.fetch(again.full);
    expect(b.dropped).toHaveLength(1);
  });

  it('drops a peer whose blocks have another length', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(4, () => 20_000);
    const liar = seed(network, 'liar', plan);
    for (const { cid } of plan.blocks) liar.blocks.map.set(cid.toString(), new Uint8Array(200_000));
    const b = add(network, 'b', { settings: { waitMs: 300 } });
    network.connect('b', 'liar');
    await expect(b.fetcher.fetch(request(plan).full)).rejects.toMatchObject({ code: 'no-peer-has-block' });
    expect(b.dropped).toHaveLength(1);
  });

  it('goes on with the others when a peer goes in the middle, and with one that comes', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(120, () => 65_536);
    seed(network, 'a', plan, { uploadLimit: 10e6 });
    seed(network, 'c', plan);
    const b = add(network, 'b');
    network.connect('b', 'a');
    const { full, got } = request(plan);
    const onBlock: FetchRequest['onBlock'] = (index, bytes, peer) => {
      full.onBlock(index, bytes, peer);
      if (got.size === 10) {
        network.connect('b', 'c');
        network.disconnect('b', 'a');
      }
    };
    await b.fetcher.fetch({ ...full, onBlock });
    expect(got.size).toBe(120);
    expect([...got.values()].filter((peer) => peer === 'c').length).toBeGreaterThan(90);
  });

  it('waits for a peer to come back', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(60, () => 65_536);
    seed(network, 'a', plan, { uploadLimit: 20e6 });
    const b = add(network, 'b');
    network.connect('b', 'a');
    const { full, got } = request(plan);
    const onBlock: FetchRequest['onBlock'] = (index, bytes, peer) => {
      full.onBlock(index, bytes, peer);
      if (got.size === 10) {
        network.disconnect('b', 'a');
        setTimeout(() => network.connect('b', 'a'), 50);
      }
    };
    await b.fetcher.fetch({ ...full, onBlock });
    expect(got.size).toBe(60);
  });

  it('fails with the block and the peers asked when nobody has it', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(5, () => 100);
    const a = seed(network, 'a', plan);
    a.blocks.map.delete(plan.blocks[2]!.cid.toString());
    const b = add(network, 'b', { settings: { waitMs: 400 } });
    network.connect('b', 'a');
    const { full, got } = request(plan);
    await expect(b.fetcher.fetch(full)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'no-peer-has-block',
      fields: { block: plan.blocks[2]!.cid.toString(), peers: ['a'] },
    });
    expect(got.size).toBe(4);
  });

  it('asks only the peers it is told', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(20, () => 10_000);
    seed(network, 'a', plan);
    seed(network, 'c', plan);
    const b = add(network, 'b');
    network.connect('b', 'a');
    network.connect('b', 'c');
    const { full } = request(plan, { peers: ['c'] });
    expect((await b.fetcher.fetch(full)).byPeer).toEqual({ c: plan.total });
  });

  it('finds blocks at a station that holds them below another root', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(10, () => 10_000);
    const a = add(network, 'a');
    a.blocks.add(plan.blocks);
    const b = add(network, 'b');
    network.connect('b', 'a');
    const { full, got } = request(plan);
    await b.fetcher.fetch(full);
    expect(got.size).toBe(10);
  });

  it('asks foreign nodes last', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(12, () => 10_000);
    const a = seed(network, 'a', plan);
    a.blocks.map.delete(plan.blocks[7]!.cid.toString());
    const asked: string[] = [];
    const bitswap = {
      get: async (cid: { toString(): string }) => {
        asked.push(cid.toString());
        return plan.blocks[7]!.bytes;
      },
    };
    const b = add(network, 'b', { bitswap });
    network.connect('b', 'a');
    const { full, got } = request(plan);
    await b.fetcher.fetch(full);
    expect(got.get(7)).toBe('bitswap');
    expect(asked).toEqual([plan.blocks[7]!.cid.toString()]);
  });

  it('holds no more than the window while blocks are not taken', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(100, () => 100_000);
    const a = seed(network, 'a', plan);
    const windowBytes = 1_000_000;
    const b = add(network, 'b', { settings: { windowBytes } });
    network.connect('b', 'a');
    const gate = Promise.withResolvers<void>();
    let taken = 0;
    const { full } = request(plan, {
      onBlock: () => {
        taken++;
        return gate.promise;
      },
    });
    const fetching = b.fetcher.fetch(full);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(taken).toBe(1);
    expect(a.blocks.reads.length).toBeLessThanOrEqual(windowBytes / 100_000);
    gate.resolve();
    await fetching;
    expect(taken).toBe(100);
  });

  it('is cancelled by its signal, tells the peer, and leaves the window to others', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(100, () => 100_000);
    const a = seed(network, 'a', plan, { uploadLimit: 5e6 });
    const b = add(network, 'b', { settings: { windowBytes: 1_000_000 } });
    network.connect('b', 'a');
    const ended = new AbortController();
    const first = request(plan, { signal: ended.signal });
    const fetching = b.fetcher.fetch(first.full);
    setTimeout(() => ended.abort(), 60);
    await expect(fetching).rejects.toMatchObject({ kind: 'cancelled' });
    const got = first.got.size;
    const reads = a.blocks.reads.length;
    expect(reads).toBeLessThan(40);
    const second = request(plan, { wanted: Uint32Array.of(99, 98) });
    await b.fetcher.fetch(second.full);
    expect(second.got.size).toBe(2);
    expect(first.got.size).toBe(got);
  });

  it('passes on what onBlock throws', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(10, () => 1000);
    seed(network, 'a', plan);
    const b = add(network, 'b');
    network.connect('b', 'a');
    const { full } = request(plan, {
      onBlock: () => {
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      },
    });
    await expect(b.fetcher.fetch(full)).rejects.toMatchObject({ code: 'disk-full' });
  });

  it('asks once for a block that two fetches want, and gives each its own bytes', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(50, () => 50_000);
    const a = seed(network, 'a', plan, { uploadLimit: 10e6 });
    const b = add(network, 'b', { random: () => 0 });
    network.connect('b', 'a');
    const one = request(plan);
    const two = request(plan);
    await Promise.all([b.fetcher.fetch(one.full), b.fetcher.fetch(two.full)]);
    expect(one.got.size).toBe(50);
    expect(two.got.size).toBe(50);
    expect(a.blocks.reads.length).toBeLessThan(75);
  });

  it('lets a demand fetch overtake a background one over the same lane', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(200, () => 100_000);
    const other = somePlan(2, () => 50_000, 9);
    const a = seed(network, 'a', plan, { uploadLimit: 20e6 });
    a.blocks.add(other.blocks);
    const b = add(network, 'b', { random: () => 0 });
    network.connect('b', 'a');
    const bulk = request(plan);
    const fetching = b.fetcher.fetch(bulk.full);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const before = bulk.got.size;
    const demand = request(other, { wantClass: 'demand', root: someRoot('other') });
    await b.fetcher.fetch(demand.full);
    // Some groups were on their way; far from all that was asked before.
    expect(bulk.got.size - before).toBeLessThan(25);
    const [cid] = [plan.blocks[190]!.cid];
    expect(await b.fetcher.block(cid, { signal: new AbortController().signal })).toEqual(
      new Uint8Array(plan.blocks[190]!.bytes),
    );
    expect(bulk.got.size).toBeLessThan(190);
    await fetching;
    expect(bulk.got.size).toBe(200);
  });

  it('gives a block that a read waited for to the background fetch of the same plan, too, and asks once', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(120, () => 100_000);
    const a = seed(network, 'a', plan, { uploadLimit: 20e6 });
    const b = add(network, 'b', { random: () => 0 });
    network.connect('b', 'a');
    const bulk = request(plan);
    const fetching = b.fetcher.fetch(bulk.full);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const wanted = Uint32Array.of(118, 119, 3);
    const demand = request(plan, { wantClass: 'demand', wanted });
    await b.fetcher.fetch(demand.full);
    expect([...demand.got.keys()].sort((x, y) => x - y)).toEqual([3, 118, 119]);
    expect(bulk.got.size).toBeLessThan(118);
    await fetching;
    expect(bulk.got.size).toBe(120);
    // block 3 may have come before it was wanted
    expect(a.blocks.reads.length).toBeLessThanOrEqual(121);
    expect(b.traffic.traffic('a')!.received).toBeLessThanOrEqual(plan.total + 100_000);
  });

  it('fails a read that nobody can answer in its own time, whatever else comes meanwhile', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(100, () => 100_000);
    const missing = somePlan(1, () => 1000, 7);
    seed(network, 'a', plan, { uploadLimit: 4e6 });
    const b = add(network, 'b');
    network.connect('b', 'a');
    const bulk = request(plan);
    const fetching = b.fetcher.fetch(bulk.full);
    const demand = request(missing, { wantClass: 'demand', root: someRoot('missing'), waitMs: 700 });
    await expect(b.fetcher.fetch(demand.full)).rejects.toMatchObject({
      code: 'no-peer-has-block',
      fields: { block: missing.blocks[0]!.cid.toString(), peers: ['a'] },
    });
    expect(bulk.got.size).toBeLessThan(100);
    await fetching;
  });

  it('takes from peers that still fetch, so that a swarm does not load its origin for each', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(400, () => 65_536);
    seed(network, 'origin', plan, { uploadLimit: 6e6 });
    const names = ['p', 'q', 'r', 's'];
    let at = 0;
    const pullers = names.map((name) => add(network, name, { random: () => at++ / 4 }));
    for (const [i, name] of names.entries()) {
      network.connect('origin', name);
      for (const other of names.slice(i + 1)) network.connect(name, other);
    }
    await Promise.all(
      pullers.map(async (puller) => {
        const bitmap = new Uint8Array(50);
        const track = puller.holdings.track(root, bitmap);
        const { full } = request(plan, {
          onBlock(index, bytes) {
            puller.blocks.map.set(plan.blocks[index]!.cid.toString(), bytes);
            setBit(bitmap, index);
            track.changed();
          },
        });
        await puller.fetcher.fetch(full);
        expect(hasBit(bitmap, 399)).toBe(true);
      }),
    );
    expect(network.served('origin')).toBeLessThan(plan.total * 2.5);
  });

  it('asks the next best peer for what is late, within a bound, and takes a stalled one out', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(200, () => 65_536);
    const stalling = seed(network, 'stalling', plan);
    let served = 0;
    const get = stalling.blocks.get.bind(stalling.blocks);
    stalling.blocks.get = async (cid, options) => {
      if (++served > 5) await new Promise(() => {});
      return get(cid, options);
    };
    stalling.blocks.getSync = () => undefined;
    const good = seed(network, 'good', plan, { uploadLimit: 20e6 });
    const b = add(network, 'b');
    network.connect('b', 'stalling');
    network.connect('b', 'good', { delay: 5 });
    const { full, got } = request(plan);
    await b.fetcher.fetch(full);
    expect(got.size).toBe(200);
    expect([...got.values()].filter((peer) => peer === 'good').length).toBeGreaterThan(180);
    // Each block is read once there: what was asked twice came once.
    expect(good.blocks.reads.length).toBeLessThanOrEqual(200);
  });
});

describe('a single block', () => {
  it('comes from the station that has it, whatever roots are known', async () => {
    const network = new MemoryNetwork();
    const plan = somePlan(3, () => 5000);
    add(network, 'a');
    const c = add(network, 'c');
    c.blocks.add(plan.blocks);
    const b = add(network, 'b');
    network.connect('b', 'a');
    network.connect('b', 'c', { delay: 5 });
    const signal = new AbortController().signal;
    const bytes = await b.fetcher.block(plan.blocks[1]!.cid, { signal });
    expect(bytes).toEqual(new Uint8Array(plan.blocks[1]!.bytes));
  });

  it('comes by bitswap where no station has it, and its bytes are checked', async () => {
    const network = new MemoryNetwork();
    const { blocks } = somePlan(2, () => 5000);
    const b = add(network, 'b', {
      bitswap: { get: async () => blocks[0]!.bytes },
      settings: { waitMs: 500 },
    });
    const signal = new AbortController().signal;
    expect(await b.fetcher.block(blocks[0]!.cid, { signal })).toEqual(blocks[0]!.bytes);
    await expect(b.fetcher.block(blocks[1]!.cid, { signal })).rejects.toMatchObject({
      code: 'no-peer-has-block',
    });
  });
});
