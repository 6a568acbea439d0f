import { encode } from 'cborg';
import { digestOfBytes } from '../../../src/base/digest.ts';
import { writeMessage } from '../../../src/swarm/network/message-exchange.ts';
import type { ByteStream } from '../../../src/swarm/network/peer-streams.ts';
import { encodeAnswers } from '../../../src/swarm/resolve/resolve-codec.ts';
import { readAll, testNetwork } from '../network/test-network.ts';
import { imageIdOf, NETWORK_KEY, publish, soon, testStation } from './test-swarm.ts';

const ROOT = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

/** A member of the network that answers questions with `reply`. */
const liarWith = (reply: (stream: ByteStream) => Promise<void>) =>
  testNetwork({ networkKey: NETWORK_KEY }, ({ stations }) => {
    stations.handle('/shp/blocks/1', (stream) => stream.abort(new Error('no')), { maxInbound: 4 });
    stations.handle('/shp/catalogue/1', (stream) => stream.abort(new Error('no')), { maxInbound: 4 });
    stations.handle(
      '/shp/resolve/1',
      (stream) => {
        reply(stream).catch(() => {});
      },
      { maxInbound: 4 },
    );
  });

const forged = (id: string, proof: Buffer) =>
  encodeAnswers([
    { digest: `sha256:${id}`, root: ROOT, path: ['x'], names: ['debian:latest'], keptBlobs: [], proof },
  ]);

describe('a hostile station', () => {
  it.each<[string, (stream: ByteStream, id: string) => Promise<void>]>([
    ['garbage', (stream) => stream.write(Buffer.from('garbage, and no end of it'))],
    ['a length without end', (stream) => stream.write(Buffer.alloc(20, 0xff))],
    ['a length of 4 GiB', (stream) => stream.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]))],
    [
      'half a message',
      async (stream) => {
        await stream.write(Buffer.from([100, 1, 2, 3]));
        await stream.closeWrite();
      },
    ],
    [
      'more than the message',
      async (stream) => {
        await writeMessage(stream, encode({ answers: [] }));
        await stream.write(Buffer.alloc(1000));
        await stream.closeWrite();
      },
    ],
    ['nothing, for ever', async () => {}],
    ['a reset', async (stream) => stream.abort(new Error('no'))],
    [
      'bytes that do not hash to the id',
      async (stream, id) => {
        await writeMessage(stream, forged(id, Buffer.from('{}')));
        await stream.closeWrite();
      },
    ],
    [
      'another id than was asked for',
      async (stream) => {
        const proof = Buffer.from('{"other":1}');
        await writeMessage(stream, forged(digestOfBytes(proof).slice(7), proof));
        await stream.closeWrite();
      },
    ],
  ])('that answers with %s takes nothing from an honest one', async (_name, reply) => {
    await using honest = await testStation();
    await using b = await testStation();
    const image = await publish(honest, 1);
    const id = imageIdOf(image);
    await using liar = await liarWith(async (stream) => {
      await readAll(stream);
      await reply(stream, id);
    });
    await b.swarm.connect(liar.addr, soon());
    await b.swarm.connect(honest.addr, soon());
    const found = await b.swarm.resolve({ kind: 'id', prefix: id.slice(0, 12) }, { signal: soon() });
    expect(found).toMatchObject({ peers: [honest.id], names: [] });
    expect(found.imageRoot.toString()).toBe(image.record.root);
  });

  it.each([
    ['garbage', Buffer.from('garbage')],
    ['an id of two digits', encode({ id: 'ab' })],
    ['a question of 1 MB', encode({ name: 'x'.repeat(1_000_000) })],
    ['nesting without end', Buffer.alloc(1000, 0x81)],
  ])('that asks with %s is not answered, and others are', async (_name, question) => {
    await using a = await testStation();
    await using liar = await liarWith(async () => {});
    const image = await publish(a, 1);
    const peer = await liar.network.connect(a.addr, soon());
    const stream = await liar.network.stations.openStream(peer, '/shp/resolve/1', soon());
    const reading = readAll(stream);
    reading.catch(() => {});
    await writeMessage(stream, question).catch(() => {});
    await stream.closeWrite().catch(() => {});
    await expect(reading).rejects.toMatchObject({ code: 'stream-lost' });
    await using b = await testStation();
    await b.swarm.connect(a.addr, soon());
    const found = await b.swarm.resolve({ kind: 'id', prefix: imageIdOf(image) }, { signal: soon() });
    expect(found.peers).toEqual([a.id]);
  });
});
