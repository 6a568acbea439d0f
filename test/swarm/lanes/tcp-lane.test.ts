import { systemClock } from '../../../src/base/clock.ts';
import type { ImageRecords } from '../../../src/store/image-records.ts';
import { createHoldingsBook } from '../../../src/swarm/lanes/holdings-book.ts';
import { type Ask, openLane } from '../../../src/swarm/lanes/lane.ts';
import { createTrafficBook } from '../../../src/swarm/lanes/lane-traffic.ts';
import { Serving } from '../../../src/swarm/lanes/serving.ts';
import { createUploadTurns } from '../../../src/swarm/lanes/upload-turns.ts';
import { MemoryBlocks, MemoryRecords, somePlan } from './memory-station.ts';
import { tcpLink } from './tcp-link.ts';

describe('a lane over a TCP connection', () => {
  it('carries blocks of all sizes, plain and compressed, and ends when the connection does', async () => {
    const link = await tcpLink();
    const { blocks } = somePlan(120, (i) => (i % 3 === 0 ? 262_144 : i * 31));
    const served = new MemoryBlocks().add(blocks);
    const images = new MemoryRecords() as unknown as ImageRecords;
    const closedThere = Promise.withResolvers<string>();
    new Serving(link.b, {
      blocks: served,
      holdings: createHoldingsBook({ images }),
      traffic: createTrafficBook(),
      turns: createUploadTurns(systemClock, 0),
      closed: (fault) => closedThere.resolve(fault.code),
    }).start();
    const got = new Map<number, Uint8Array>();
    const all = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<string>();
    const nothing = () => {};
    const lane = openLane<Ask>(
      link.a,
      { clock: systemClock },
      {
        block(ask, bytes) {
          got.set(ask.id, bytes);
          if (got.size === blocks.length) all.resolve();
        },
        missing: nothing,
        lie: nothing,
        holding: nothing,
        treeBlocks: nothing,
        treeEnd: nothing,
        received: nothing,
        roundTrip: nothing,
        closed: (fault) => closed.resolve(fault.code),
      },
    );
    const asks = blocks.map(({ cid, bytes }) => ({
      codec: 0x55,
      digest: cid.multihash.digest,
      size: bytes.length,
      id: 0,
    }));
    lane.want(asks.slice(0, 60), 'background', 0);
    lane.want(asks.slice(60), 'profile', 3);
    await all.promise;
    asks.forEach((ask, i) => {
      expect(Buffer.compare(got.get(ask.id)!, blocks[i]!.bytes)).toBe(0);
    });
    link.close();
    expect(await closed.promise).toMatch(/^lane-(closed|lost)$/);
    expect(await closedThere.promise).toMatch(/^lane-(closed|lost)$/);
  });
});
