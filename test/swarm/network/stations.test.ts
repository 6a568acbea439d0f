import { Fault } from '../../../src/base/fault.ts';
import type { ByteStream } from '../../../src/swarm/network/peer-streams.ts';
import { readAll, sendPieces, soon, testNetwork } from './test-network.ts';

const STATION = '/shp/blocks/1';
const ECHO = '/test/echo/1';

async function pair(handler: (stream: ByteStream) => void) {
  const a = await testNetwork({}, ({ stations }) => stations.handle(STATION, () => {}, { maxInbound: 1 }));
  const b = await testNetwork({}, ({ stations }) => {
    stations.handle(STATION, () => {}, { maxInbound: 1 });
    stations.handle(ECHO, handler, { maxInbound: 64 });
  });
  const peer = await a.network.connect(b.addr, soon());
  return {
    a: a.network,
    b: b.network,
    peer,
    open: () => a.network.stations.openStream(peer, ECHO, soon()),
    async [Symbol.asyncDispose]() {
      await a.network.stop();
      await b.network.stop();
    },
  };
}

const echo = async (stream: ByteStream) => {
  for await (const chunk of stream.read) await stream.write(chunk);
  await stream.closeWrite();
};

describe('stations', () => {
  it('are the connected peers that speak a protocol of shp, and tell when they come and go', async () => {
    const events: string[] = [];
    await using plain = await testNetwork();
    const station = await testNetwork({}, ({ stations }) =>
      stations.handle(STATION, () => {}, { maxInbound: 1 }),
    );
    await using a = await testNetwork();
    a.network.stations.onPeer((peer, up) => events.push(`${peer} ${up}`));
    await a.network.connect(plain.addr, soon());
    const peer = await a.network.connect(station.addr, soon());
    expect(a.network.stations.connectedStations()).toEqual([peer]);
    expect(a.network.peers().map(({ id, station }) => [id === peer, station])).toEqual([
      [false, false],
      [true, true],
    ]);
    const gone = a.network.stations.change(soon());
    await station[Symbol.asyncDispose]();
    await gone;
    while (a.network.stations.connectedStations().length > 0) await a.network.stations.change(soon());
    expect(events).toEqual([`${peer} true`, `${peer} false`]);
  });

  it('are dialled again when the connection is lost', async () => {
    await using both = await pair(echo);
    const events: boolean[] = [];
    both.a.stations.onPeer((_peer, up) => events.push(up));
    for (const connection of both.a.libp2p.getConnections()) connection.abort(new Error('cable cut'));
    const signal = soon();
    while (events.length < 2 && !signal.aborted) await both.a.stations.change(signal);
    expect(events).toEqual([false, true]);
    expect(both.a.stations.connectedStations()).toEqual([both.peer]);
  });

  it('measure the round trip', async () => {
    await using both = await pair(echo);
    while (both.a.stations.latency(both.peer) === undefined) await new Promise((wake) => setTimeout(wake, 5));
    expect(both.a.stations.latency(both.peer)).toBeGreaterThan(0);
    expect(both.a.stations.latency('12D3KooWnobody')).toBeUndefined();
  });
});

describe('byte stream', () => {
  it('carries bytes both ways and ends each way on its own', async () => {
    await using both = await pair(echo);
    const stream = await both.open();
    const reading = readAll(stream);
    const sent = await sendPieces(stream, 40, 100_000);
    expect(await reading).toEqual({ bytes: 4_000_000, sha256: sent });
  });

  it('stops the writer while the reader does not read, and loses nothing', async () => {
    const { promise: start, resolve: go } = Promise.withResolvers<void>();
    const result = Promise.withResolvers<{ bytes: number; sha256: string }>();
    await using both = await pair(async (stream) => {
      await start;
      result.resolve(readAll(stream));
    });
    const stream = await both.open();
    let done = false;
    const sending = sendPieces(stream, 300, 100_000).finally(() => {
      done = true;
    });
    await new Promise((wake) => setTimeout(wake, 300));
    expect(done).toBe(false);
    go();
    expect(await result.promise).toEqual({ bytes: 30_000_000, sha256: await sending });
  });

  it('keeps what was not read yet when a reader leaves its loop', async () => {
    await using both = await pair(echo);
    const stream = await both.open();
    await stream.write(Buffer.from('one'));
    const first = await stream.read[Symbol.asyncIterator]().next();
    expect(Buffer.from(first.value as Uint8Array).toString()).toBe('one');
    await stream.write(Buffer.from('two'));
    await stream.closeWrite();
    let rest = '';
    for await (const chunk of stream.read) rest += Buffer.from(chunk).toString();
    expect(rest).toBe('two');
  });

  it('throws at the reader when the peer aborts, after no end', async () => {
    await using both = await pair(async (stream) => {
      await stream.write(Buffer.from('half'));
      setTimeout(() => stream.abort(new Error('enough')), 50);
    });
    const stream = await both.open();
    await stream.write(Buffer.from('x'));
    await expect(readAll(stream)).rejects.toMatchObject({ code: 'stream-lost' });
  });

  it('throws at the reader when the connection goes without the peer having closed', async () => {
    await using both = await pair(() => {});
    const stream = await both.open();
    await stream.write(Buffer.from('x'));
    const reading = readAll(stream);
    reading.catch(() => {});
    await both.b.stop();
    await expect(reading).rejects.toMatchObject({ code: 'stream-lost' });
    await expect(stream.write(Buffer.from('y'))).rejects.toBeInstanceOf(Fault);
  });

  it('rejects the pending read and write with the reason of an abort', async () => {
    await using both = await pair(() => {});
    const stream = await both.open();
    const reason = new Fault('cancelled', 'cancelled', 'no more');
    const reading = readAll(stream);
    const writing = stream.write(Buffer.alloc(40_000_000));
    writing.catch(() => {});
    reading.catch(() => {});
    await new Promise((wake) => setTimeout(wake, 100));
    stream.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await expect(writing).rejects.toBe(reason);
  });

  it('opens as many streams at once as the handler allows', async () => {
    await using both = await pair(echo);
    const streams = await Promise.all(Array.from({ length: 60 }, both.open));
    const all = await Promise.all(
      streams.map(async (stream) => {
        const reading = readAll(stream);
        return (await sendPieces(stream, 1, 1000)) === (await reading).sha256;
      }),
    );
    expect(all.every(Boolean)).toBe(true);
  });

  it('says that a peer is not there or does not speak a protocol', async () => {
    await using both = await pair(echo);
    const { stations } = both.a;
    await expect(stations.openStream(both.peer, '/no/such', soon())).rejects.toMatchObject({
      code: 'no-such-protocol',
    });
    await expect(
      stations.openStream('12D3KooWS19nTrpfPPcDxKusWyddAKrpskJDdQptq3cQhw9QGJPu', ECHO, soon()),
    ).rejects.toMatchObject({ code: 'not-connected' });
    await expect(stations.openStream(both.peer, ECHO, AbortSignal.abort())).rejects.toMatchObject({
      kind: 'cancelled',
    });
  });
});
