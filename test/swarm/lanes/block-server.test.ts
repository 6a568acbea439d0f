import { LANE_PROTOCOL, MAX_OPEN_WANTS } from '../../../src/swarm/lanes/lane-limits.ts';
import { type LinkOptions, MemoryNetwork } from './memory-link.ts';
import { memoryStation, rawBlock, sha, somePlan, someRoot } from './memory-station.ts';
import { RawWanter } from './raw-wanter.ts';

const text = (length: number, seed: number) =>
  Buffer.from(Array.from({ length: Math.ceil(length / 9) }, (_, i) => `${seed} line ${i % 97}\n`).join(''));

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function served(link: LinkOptions = {}, options = {}) {
  const network = new MemoryNetwork();
  const station = memoryStation(network, 'server', options);
  const streams = network.streams('client');
  network.connect('client', 'server', link);
  stops.push(() => station.stop());
  const open = async () =>
    new RawWanter(await streams.openStream('server', LANE_PROTOCOL, new AbortController().signal));
  return { network, station, open };
}

describe('the block server', () => {
  it('answers each want once: with its bytes, or with missing for what is not here or not shared', async () => {
    const { station, open } = await served();
    const { blocks } = somePlan(20, (i) => i * 1000);
    station.blocks.add(blocks.slice(0, 18));
    station.blocks.unshared.add(blocks[3]!.cid.toString());
    const wanter = (await open()).hello();
    wanter.want(
      1,
      blocks.map(({ cid }) => cid.multihash.digest),
    );
    await wanter.until(() => wanter.ids().length === 17 && wanter.of('missing').length > 0);
    const bytes = await wanter.bytes();
    for (const [id, block] of bytes) expect(Buffer.compare(block, blocks[id - 1]!.bytes)).toBe(0);
    expect(wanter.of('missing').flatMap(({ ids }) => [...ids])).toEqual([4, 19, 20]);
    expect(new Set(wanter.ids()).size).toBe(17);
  });

  it('groups small blocks, and compresses a group as one where asked to', async () => {
    const { station, open } = await served();
    const blocks = Array.from({ length: 40 }, (_, i) => rawBlock(text(3000, i)));
    station.blocks.add(blocks);
    const wanter = (await open()).hello();
    wanter.want(
      1,
      blocks.map(({ cid }) => cid.multihash.digest),
      'background',
      6,
    );
    await wanter.until(() => wanter.ids().length === 40);
    const groups = wanter.of('blocks');
    expect(groups.length).toBeLessThan(4);
    expect(groups.every(({ zstd }) => zstd)).toBe(true);
    const plain = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(groups.reduce((sum, { payload }) => sum + payload.length, 0)).toBeLessThan(plain / 10);
    expect(await wanter.bytes()).toEqual(new Map(blocks.map(({ bytes }, i) => [i + 1, bytes])));
  });

  it('sends as it is what does not shrink', async () => {
    const { station, open } = await served();
    const { blocks } = somePlan(4, () => 100_000);
    station.blocks.add(blocks);
    const wanter = (await open()).hello();
    wanter.want(
      1,
      blocks.map(({ cid }) => cid.multihash.digest),
      'background',
      3,
    );
    await wanter.until(() => wanter.ids().length === 4);
    expect(wanter.of('blocks').some(({ zstd }) => zstd)).toBe(false);
  });

  it('lets demand overtake what waits, and a reclassed want as well', async () => {
    const { station, open } = await served({ buffer: 64 * 1024, rate: 50e6 });
    const { blocks } = somePlan(60, () => 100_000);
    station.blocks.add(blocks);
    const wanter = (await open()).hello();
    const digests = blocks.map(({ cid }) => cid.multihash.digest);
    wanter.want(1, digests.slice(0, 58));
    wanter.want(59, digests.slice(58, 59), 'profile');
    wanter.want(60, digests.slice(59), 'demand');
    wanter.port.send({ type: 'reclass', wantClass: 'demand', ids: [58] });
    wanter.port.send({ type: 'credit', limit: 100e6 });
    await wanter.until(() => wanter.ids().length === 60);
    const at = (id: number) => wanter.ids().indexOf(id);
    // One group may be on the wire and two be ready before the others are read.
    expect(at(60)).toBeLessThan(9);
    expect(at(58)).toBeLessThan(12);
    expect(at(59)).toBeLessThan(15);
  });

  it('sends bulk only within the credit, demand beyond it', async () => {
    const { station, open } = await served();
    const { blocks } = somePlan(30, () => 262_144);
    station.blocks.add(blocks);
    const wanter = (await open()).hello();
    const digests = blocks.map(({ cid }) => cid.multihash.digest);
    wanter.want(1, digests.slice(0, 29));
    await wanter.until(() => wanter.ids().length >= 4);
    wanter.want(30, digests.slice(29), 'demand');
    await wanter.until(() => wanter.ids().includes(30));
    // The first credit is 1 MiB: four blocks of 256 KiB, and one that was begun within it.
    expect(wanter.ids().filter((id) => id < 30).length).toBeLessThanOrEqual(5);
    wanter.port.send({ type: 'credit', limit: 1e9 });
    await wanter.until(() => wanter.ids().length === 30);
    expect(wanter.ids().length).toBe(30);
  });

  it('answers a cancelled want that waits by missing, and does not read its block', async () => {
    const { station, open } = await served();
    const { blocks } = somePlan(40, () => 262_144);
    station.blocks.add(blocks);
    const wanter = (await open()).hello();
    wanter.want(
      1,
      blocks.map(({ cid }) => cid.multihash.digest),
    );
    await wanter.until(() => wanter.ids().length >= 4);
    wanter.port.send({ type: 'cancel', ids: Array.from({ length: 40 }, (_, i) => i + 1) });
    await wanter.until(() => wanter.of('missing').length > 0);
    wanter.port.send({ type: 'credit', limit: 1e9 });
    const cancelled = wanter.of('missing').flatMap(({ ids }) => [...ids]);
    await wanter.until(() => wanter.ids().length + cancelled.length === 40);
    expect(cancelled.length).toBeGreaterThan(30);
    expect(station.blocks.reads.length).toBe(40 - cancelled.length);
  });

  it('tells what it has of a root, and then what was added', async () => {
    const { station, open } = await served();
    const root = someRoot('root');
    const bitmap = new Uint8Array(4);
    bitmap[0] = 1;
    const track = station.holdings.track(root, bitmap);
    const wanter = (await open()).hello();
    wanter.port.send({ type: 'follow', root: root.bytes });
    await wanter.until(() => wanter.of('have').length === 1);
    expect(wanter.of('have')[0]!.holding).toEqual(Uint8Array.of(1, 0, 0, 0));
    bitmap[1] = 0b110;
    track.changed();
    track.changed();
    await wanter.until(() => wanter.of('have-delta').length === 1);
    expect(wanter.of('have-delta')[0]!.runs).toEqual([9, 2]);
    station.records.complete(root);
    track.end();
    await wanter.until(() => wanter.of('have').length === 2);
    expect(wanter.of('have')[1]!.holding).toBe('all');
  });

  it('serves a peer while another one does not read', async () => {
    const { station, open } = await served({ buffer: 1000 });
    const { blocks } = somePlan(10, () => 262_144);
    station.blocks.add(blocks);
    const digests = blocks.map(({ cid }) => cid.multihash.digest);
    const idle = await (await served()).open();
    idle.hello().want(1, digests);
    const reading = (await open()).hello();
    reading.port.send({ type: 'credit', limit: 1e9 });
    reading.want(1, digests);
    await reading.until(() => reading.ids().length === 10);
    expect(reading.ids().length).toBe(10);
  });

  const big = somePlan(1, () => 262_144);
  const raw = (bytes: number[]) => Uint8Array.from(bytes);
  it.each([
    ['a want before hello', (wanter: RawWanter) => wanter.want(1, [sha(Buffer.from('x'))])],
    [
      'an id twice',
      (wanter: RawWanter) => {
        wanter.hello().want(5, [sha(Buffer.from('x'))]);
        wanter.want(5, [sha(Buffer.from('y'))]);
      },
    ],
    [
      'a message that only a server sends',
      (wanter: RawWanter) => {
        wanter.hello().port.send({ type: 'missing', ids: [1] });
      },
    ],
    [
      'a root that is no CID',
      (wanter: RawWanter) => {
        wanter.hello().port.send({ type: 'follow', root: raw([1, 2, 3]) });
      },
    ],
    [
      'a tree want for no CID',
      (wanter: RawWanter) => {
        const rest = { path: [], platform: 'all', level: 0, have: [] };
        wanter.hello().port.send({ type: 'tree', id: 1, root: raw([9]), ...rest });
      },
    ],
    [
      'more wants than are allowed',
      (wanter: RawWanter) => {
        wanter.hello();
        const digests = new Array<Uint8Array>(1024).fill(big.blocks[0]!.cid.multihash.digest);
        for (let i = 0; i <= MAX_OPEN_WANTS / 1024; i++) wanter.want(1 + i * 1024, digests);
      },
    ],
  ])('closes the lane on %s, and says why', async (_what, send) => {
    const { station, open } = await served();
    station.blocks.add(big.blocks);
    const wanter = await open();
    send(wanter);
    const fault = await wanter.ended();
    expect([fault.code, fault.fields['code']]).toEqual(['lane-refused', 'lane-violation']);
  });
});
