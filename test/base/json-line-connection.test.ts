import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createJsonLineConnection, type JsonLineConnection } from '../../src/base/json-line-connection.ts';
import { listenUnix } from '../../src/base/unix-listener.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Pair {
  readonly ours: JsonLineConnection;
  readonly theirs: Socket;
  readonly seen: unknown[];
}

async function withPair(
  work: (pair: Pair) => Promise<void>,
  onMessage: (value: unknown) => void = () => {},
  settings: { readonly maxLine?: number; readonly maxQueued?: number } = {},
): Promise<void> {
  using folder = tempFolder('lines');
  const path = join(folder.path, 's');
  const accepted = Promise.withResolvers<Socket>();
  const listener = await listenUnix(path, accepted.resolve);
  const theirs = connect(path);
  theirs.on('error', () => {});
  const seen: unknown[] = [];
  const ours = createJsonLineConnection(
    await accepted.promise,
    (value) => {
      seen.push(value);
      onMessage(value);
    },
    settings,
  );
  try {
    await work({ ours, theirs, seen });
  } finally {
    ours.close();
    theirs.destroy();
    await listener.close();
  }
}

describe('a connection of JSON lines', () => {
  it('says what it was given, and ends cleanly when the other side ends', async () => {
    await withPair(async ({ ours, theirs, seen }) => {
      ours.send({ hello: 'ü\n' });
      const [chunk] = (await once(theirs, 'data')) as [Buffer];
      expect(chunk.toString()).toBe('{"hello":"ü\\n"}\n');
      theirs.end('1\n2\n');
      expect(await ours.ended).toBeUndefined();
      expect(seen).toEqual([1, 2]);
      expect(ours.open).toBe(false);
      ours.send('dropped');
    });
  });

  it('delivers what was sent before it was closed', async () => {
    await withPair(async ({ ours, theirs }) => {
      const chunks: Buffer[] = [];
      theirs.on('data', (chunk: Buffer) => chunks.push(chunk));
      for (let index = 0; index < 1000; index++) ours.send('x'.repeat(1000));
      ours.close();
      await once(theirs, 'close');
      expect(Buffer.concat(chunks).length).toBe(1000 * 1003);
    });
  });

  it('is dropped for nonsense, for a line past its bound, and for a message that is refused', async () => {
    await withPair(async ({ ours, theirs }) => {
      theirs.write(Buffer.from([0xff, 0xfe, 10]));
      expect(await ours.ended).toMatchObject({ code: 'bad-json-line' });
      await once(theirs, 'close');
    });
    await withPair(
      async ({ ours, theirs, seen }) => {
        theirs.write(`1\n${'x'.repeat(100)}`);
        expect(await ours.ended).toMatchObject({ code: 'line-too-long' });
        expect(seen).toEqual([1]);
      },
      () => {},
      { maxLine: 64 },
    );
    await withPair(
      async ({ ours, theirs, seen }) => {
        theirs.write('1\n2\n3\n');
        expect(await ours.ended).toMatchObject({ kind: 'internal', message: 'refused' });
        expect(seen).toEqual([1, 2]);
      },
      (value) => {
        if (value === 2) throw new Error('refused');
      },
    );
  });

  it('is dropped when the other side does not read', async () => {
    await withPair(
      async ({ ours, theirs }) => {
        theirs.pause();
        for (let index = 0; index < 200 && ours.open; index++) ours.send('x'.repeat(60_000));
        expect(await ours.ended).toMatchObject({ code: 'peer-does-not-read' });
      },
      () => {},
      { maxQueued: 100_000 },
    );
  });
});

describe('a unix listener', () => {
  it('is for its user alone, takes the place of a dead or living predecessor, and leaves a successor alone', async () => {
    using folder = tempFolder('listener');
    const path = join(folder.path, 's');
    const reached: string[] = [];
    const reach = async (): Promise<void> => {
      const socket = connect(path);
      await once(socket, 'close');
    };
    const serve =
      (name: string) =>
      (socket: Socket): void => {
        reached.push(name);
        socket.end();
        socket.resume();
      };
    const first = await listenUnix(path, serve('first'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await reach();
    const second = await listenUnix(path, serve('second'));
    await reach();
    await first.close();
    await reach();
    expect(reached).toEqual(['first', 'second', 'second']);
    await second.close();
    expect(existsSync(path)).toBe(false);
  });
});
