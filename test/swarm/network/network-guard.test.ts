import { randomBytes } from 'node:crypto';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { identify } from '@libp2p/identify';
import { preSharedKey } from '@libp2p/pnet';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';
import { formatNetworkKey, networkFingerprint } from '../../../src/config/network-key.ts';
import { toByteStream } from '../../../src/swarm/network/libp2p-stream.ts';
import { createSalsaStream } from '../../../src/swarm/network/salsa-stream.ts';
import { collectGarbage } from '../../support/collect-garbage.ts';
import { readAll, recordingLogger, sendPieces, soon, testNetwork } from './test-network.ts';

const KEY = Buffer.alloc(32, 1);
const OTHER = Buffer.alloc(32, 2);
const PROTOCOL = '/test/transfer/1';
const MB = 1024 * 1024;

describe('salsa stream', () => {
  it('is one key stream however it is cut', () => {
    const nonce = randomBytes(24);
    const plain = randomBytes(5000);
    const whole = Buffer.alloc(5000);
    createSalsaStream(nonce, KEY).update(whole, plain);
    const cut = Buffer.from(plain);
    const stream = createSalsaStream(nonce, KEY);
    let at = 0;
    for (const size of [1, 63, 64, 65, 0, 1000, 3807]) {
      stream.update(cut.subarray(at, at + size), cut.subarray(at, at + size));
      at += size;
    }
    expect(cut.equals(whole)).toBe(true);
  });
});

describe('private network', () => {
  it('carries 200 MB between two stations, whole, without growing', async () => {
    const result = Promise.withResolvers<{ bytes: number; sha256: string }>();
    await using a = await testNetwork({ networkKey: KEY });
    await using b = await testNetwork({ networkKey: KEY }, ({ stations }) =>
      stations.handle(PROTOCOL, (stream) => result.resolve(readAll(stream)), { maxInbound: 1 }),
    );
    const peer = await a.network.connect(b.addr, soon());
    const stream = await a.network.stations.openStream(peer, PROTOCOL, soon());
    collectGarbage();
    const before = process.memoryUsage();
    const sent = await sendPieces(stream, 200, MB);
    expect(await result.promise).toEqual({ bytes: 200 * MB, sha256: sent });
    collectGarbage();
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(
      100 * MB,
    );
  });

  it('speaks with @libp2p/pnet, 20 MB each way', async () => {
    let received: Promise<{ bytes: number; sha256: string }> | undefined;
    const theirs = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionProtector: preSharedKey({ psk: Buffer.from(formatNetworkKey(KEY)) }),
      services: { identify: identify() },
    });
    try {
      let answered: Promise<string> | undefined;
      await theirs.handle(PROTOCOL, (stream, connection) => {
        const bytes = toByteStream(stream, connection.remotePeer.toString());
        received = readAll(bytes).then((result) => {
          answered = sendPieces(bytes, 20, MB);
          return result;
        });
      });
      await using ours = await testNetwork({ networkKey: KEY });
      const peer = await ours.network.connect(theirs.getMultiaddrs()[0]?.toString() ?? '', soon());
      const stream = await ours.network.stations.openStream(peer, PROTOCOL, soon());
      const sent = await sendPieces(stream, 20, MB);
      const back = await readAll(stream);
      expect(await received).toEqual({ bytes: 20 * MB, sha256: sent });
      expect(back).toEqual({ bytes: 20 * MB, sha256: await answered });
    } finally {
      await theirs.stop();
    }
  });

  it.each([
    ['another key', KEY, OTHER],
    ['a key, the other none', KEY, undefined],
    ['no key, the other one', undefined, KEY],
  ])('refuses a station with %s, and both sides say why', async (_name, ours, others) => {
    const [logA, logB] = [recordingLogger(), recordingLogger()];
    const keyed = (networkKey: Uint8Array | undefined) => (networkKey === undefined ? {} : { networkKey });
    await using a = await testNetwork(keyed(ours), undefined, logA);
    await using b = await testNetwork(keyed(others), undefined, logB);
    const refused = a.network.connect(b.addr, soon());
    await expect(refused).rejects.toMatchObject({ kind: 'denied', code: 'other-network' });
    const named = (key: Uint8Array | undefined) =>
      expect.stringMatching(
        key === undefined ? /network key/ : new RegExp(`network key.* ${networkFingerprint(key)}`),
      );
    await expect(refused).rejects.toMatchObject({ message: named(ours) });
    for (const [{ network }, log, key] of [
      [a, logA, ours],
      [b, logB, others],
    ] as const) {
      while (network.refusals().length === 0) await new Promise((wake) => setTimeout(wake, 5));
      expect(network.refusals()).toEqual([named(key)]);
      expect(log.lines.filter((line) => line.startsWith('warn:'))).toEqual([named(key)]);
      expect(network.peers()).toEqual([]);
    }
  });
});
