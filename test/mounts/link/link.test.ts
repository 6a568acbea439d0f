import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Fault } from '../../../src/base/fault.ts';
import { connectLink } from '../../../src/mounts/link/link-client.ts';
import type { TouchedMessage, WantMessage } from '../../../src/mounts/link/link-messages.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { emptyStatus, linkScene, never, rangeOf } from './link-scene.ts';

/** Until `condition` holds: for what the other end of a socket does in its own time. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('requests of the station', () => {
  it('reach the mount server and are answered, in any order', async () => {
    const seen: unknown[] = [];
    const gate = Promise.withResolvers<void>();
    await using scene = await linkScene({
      chain: (chain) => void seen.push(chain),
      forget: async (key) => void seen.push(key),
      async mount(mount) {
        await gate.promise;
        return { ...mount, mountedAt: 42 };
      },
      unmount: async (target, lazy) => void seen.push([target, lazy]),
    });
    const station = await scene.station();
    expect(station).toMatchObject({ version: 'server-1', pid: process.pid });
    expect(statSync(scene.path).mode & 0o777).toBe(0o600);
    const chain = { key: 'a1', indexes: ['b1', 'b2'], complete: false, recording: true };
    const upper = { upper: '/u', work: '/w' };
    const mounted = station.mount({ chain: 'a1', target: '/m', upper }, never);
    await station.chain(chain, never);
    await station.unmount('/m', true, never);
    await station.forget('a1', never);
    expect(await station.status(never)).toEqual(emptyStatus);
    gate.resolve();
    expect(await mounted).toEqual({ chain: 'a1', target: '/m', upper, mountedAt: 42 });
    expect(seen).toEqual([chain, ['/m', true], 'a1']);
  });

  it('may be a thousand at a time', async () => {
    const seen: string[] = [];
    await using scene = await linkScene({ forget: async (key) => void seen.push(key) });
    const station = await scene.station();
    const keys = Array.from({ length: 1000 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => station.forget(key, never)));
    expect(seen).toEqual(keys);
  });

  it('carry the fault of the mount server', async () => {
    await using scene = await linkScene({
      forget: () => {
        throw new Fault('busy', 'chain-in-use', 'it is mounted', { fields: { key: 'a1', mounts: ['/m'] } });
      },
    });
    const station = await scene.station();
    await expect(station.forget('a1', never)).rejects.toMatchObject({
      kind: 'busy',
      code: 'chain-in-use',
      message: 'it is mounted',
      fields: { key: 'a1', mounts: ['/m'] },
    });
  });

  it('are a fault where the answer does not fit a line', async () => {
    const mount = { chain: 'a1', target: `/${'x'.repeat(4000)}`, mountedAt: 0 };
    await using scene = await linkScene({
      status: () => ({ ...emptyStatus, mounts: Array.from({ length: 300 }, () => mount) }),
    });
    const station = await scene.station();
    await expect(station.status(never)).rejects.toMatchObject({ code: 'line-too-long' });
    await station.forget('a1', never);
  });

  it('are given up by their signal, and fail when the connection is cut', async () => {
    await using scene = await linkScene({ mount: () => new Promise(() => {}) });
    const station = await scene.station();
    const cancel = new AbortController();
    const given = station.mount({ chain: 'a1', target: '/m' }, cancel.signal);
    const cut = station.mount({ chain: 'a1', target: '/n' }, never);
    cancel.abort();
    await expect(given).rejects.toMatchObject({ kind: 'cancelled' });
    await expect(station.forget('a1', AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
    const closing = scene.server.close();
    await expect(cut).rejects.toMatchObject({ kind: 'unavailable', code: 'link-closed' });
    await station.ended;
    await expect(station.status(never)).rejects.toMatchObject({ code: 'link-closed' });
    await closing;
  });

  it('find nobody where no mount server listens', async () => {
    using folder = tempFolder('link');
    const path = join(folder.path, 'mounts.sock');
    const handler = { want: () => new Promise<never>(() => {}), touched: () => {} };
    const components = { handler, logger: silentLogger };
    await expect(connectLink(components, { path, version: '1' }, never)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'no-mount-server',
      fields: { path },
    });
    await expect(connectLink(components, { path, version: '1' }, AbortSignal.abort())).rejects.toMatchObject({
      kind: 'cancelled',
    });
    // it listens, but never says hello
    const mute = createServer(() => {}).listen(path);
    await once(mute, 'listening');
    await expect(
      connectLink(components, { path, version: '1' }, AbortSignal.timeout(50)),
    ).rejects.toMatchObject({ kind: 'cancelled' });
    mute.close();
  });
});

describe('wants of readers', () => {
  it('are asked of the station once for equal ranges, and answered', async () => {
    const asked: WantMessage[] = [];
    await using scene = await linkScene();
    await scene.station({
      async want(want) {
        asked.push(want);
        return { complete: want.first === 0 };
      },
    });
    const answers = await Promise.all([
      scene.server.want(rangeOf(0), never),
      scene.server.want(rangeOf(0), never),
      scene.server.want(rangeOf(7), never),
    ]);
    expect(answers.map(({ complete }) => complete)).toEqual([true, true, false]);
    expect(asked).toEqual([
      { want: 1, ...rangeOf(0) },
      { want: 2, ...rangeOf(7) },
    ]);
    expect(scene.server.statistics('a1')).toMatchObject({ waited: 3, waiting: 0, failed: 0 });
  });

  it('fail with the fault of the station', async () => {
    await using scene = await linkScene();
    await scene.station({
      want: () =>
        Promise.reject(
          new Fault('unavailable', 'no-peer-has-block', 'nobody has it', { fields: { peers: ['p1'] } }),
        ),
    });
    await expect(scene.server.want(rangeOf(0), never)).rejects.toMatchObject({
      code: 'no-peer-has-block',
      fields: { peers: ['p1'] },
    });
    expect(scene.server.statistics('a1')).toMatchObject({ waited: 1, waiting: 0, failed: 1 });
  });

  it('are cancelled at the station once the last reader is gone', async () => {
    const signals: AbortSignal[] = [];
    await using scene = await linkScene();
    await scene.station({
      want: (_, signal) => {
        signals.push(signal);
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
      },
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const one = scene.server.want(rangeOf(0), first.signal);
    const other = scene.server.want(rangeOf(0), second.signal);
    await until(() => signals.length === 1);
    first.abort();
    await expect(one).rejects.toMatchObject({ kind: 'cancelled' });
    // a round trip: the station would have heard of it
    const third = new AbortController();
    const marker = scene.server.want(rangeOf(9), third.signal);
    await until(() => signals.length === 2);
    expect(signals[0]?.aborted).toBe(false);
    second.abort();
    third.abort();
    await expect(other).rejects.toMatchObject({ kind: 'cancelled' });
    await expect(marker).rejects.toMatchObject({ kind: 'cancelled' });
    await until(() => signals.every(({ aborted }) => aborted));
    expect(scene.server.statistics('a1').waiting).toBe(0);
  });

  it('that are outstanding are asked of the next station, after the one before was cut', async () => {
    await using scene = await linkScene();
    const early = scene.server.want(rangeOf(0), never);
    const aborted: number[] = [];
    let given = 0;
    const first = await scene.station({
      want: ({ want }, signal) => {
        given++;
        return new Promise(() => signal.addEventListener('abort', () => aborted.push(want)));
      },
    });
    const late = scene.server.want(rangeOf(1), never);
    await until(() => given === 2);
    first.close();
    await first.ended;
    await until(() => !scene.server.connected);
    expect(aborted.sort()).toEqual([1, 2]);
    const between = scene.server.want(rangeOf(2), never);
    const asked: number[] = [];
    await scene.station({
      async want({ want }) {
        asked.push(want);
        return { complete: true };
      },
    });
    expect(await Promise.all([early, late, between])).toEqual(Array(3).fill({ complete: true }));
    expect(asked).toEqual([1, 2, 3]);
  });

  it('go to the newer of two stations; the older one is put out', async () => {
    await using scene = await linkScene();
    const older = await scene.station();
    const waiting = scene.server.want(rangeOf(0), never);
    await scene.station({ want: async () => ({ complete: false }) });
    await older.ended;
    expect(await waiting).toEqual({ complete: false });
    expect(scene.server.connected).toBe(true);
  });

  it('fail where no station comes in time', async () => {
    await using scene = await linkScene({}, { wait: 40 });
    await expect(scene.server.want(rangeOf(0), never)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'no-station',
      message: expect.stringContaining('/usr/bin/x'),
    });
    const station = await scene.station();
    const kept = scene.server.want(rangeOf(0), never);
    await expect(
      Promise.race([kept, new Promise((resolve) => setTimeout(resolve, 100, 'waits'))]),
    ).resolves.toBe('waits');
    station.close();
    await expect(kept).rejects.toMatchObject({ code: 'no-station' });
  });

  it('are refused past the bound, and failed when the link is closed', async () => {
    await using scene = await linkScene({}, { maxWaiting: 2 });
    const [one, other] = [scene.server.want(rangeOf(0), never), scene.server.want(rangeOf(0), never)];
    await expect(scene.server.want(rangeOf(5), never)).rejects.toMatchObject({ code: 'too-many-waiting' });
    const outcome = Promise.allSettled([one, other]);
    await scene.server.close();
    for (const result of await outcome) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'link-closed' } });
    }
    await expect(scene.server.want(rangeOf(0), never)).rejects.toMatchObject({ code: 'link-closed' });
  });
});

describe('first uses', () => {
  it('reach the station in order, in lines that fit', async () => {
    const seen: TouchedMessage[] = [];
    await using scene = await linkScene();
    const ranges = Array.from({ length: 20_000 }, (_, index) => [1, index, 0, 2 ** 53 - 1] as const);
    scene.server.touched({ touched: 'a1', ranges });
    await scene.station({ touched: (message) => void seen.push(message) });
    scene.server.touched({ touched: 'a1', ranges });
    await until(() => seen.flatMap(({ ranges }) => ranges).length === ranges.length);
    expect(seen.flatMap((message) => message.ranges)).toEqual(ranges);
  });
});

describe('a mount server', () => {
  it.each([
    ['nonsense', 'hello?\n'],
    ['a line without end', 'x'.repeat(2 ** 20 + 1)],
    ['a request before hello', '{"id":1,"ask":"status"}\n'],
    ['an unknown request', '{"id":1,"ask":"hello","version":"1"}\n{"id":2,"ask":"toString"}\n'],
    ['an answer before hello', '{"have":1,"complete":true}\n'],
    [
      'a request without its fields',
      '{"id":1,"ask":"hello","version":"1"}\n{"id":2,"ask":"chain","chain":{"key":1}}\n',
    ],
    ['a number that is none', '{"id":-1,"ask":"hello","version":"1"}\n'],
    ['a value that is no message', '{"id":1,"ask":"hello","version":"1"}\n[]\n'],
    ['null', 'null\n'],
    ['a fault of no shape', '{"id":1,"ask":"hello","version":"1"}\n{"lost":1,"fault":"bad"}\n'],
  ])('drops a connection that says %s, and serves the next', async (_, said) => {
    await using scene = await linkScene();
    const socket = await scene.raw();
    socket.resume();
    socket.write(said);
    await once(socket, 'close');
    expect(await (await scene.station()).status(never)).toEqual(emptyStatus);
  });

  it('keeps the station it has while others talk nonsense or nothing', async () => {
    await using scene = await linkScene();
    const station = await scene.station({ want: async () => ({ complete: true }) });
    for (let index = 0; index < 40; index++) (await scene.raw()).write(index % 2 === 0 ? 'nonsense\n' : '');
    expect(await scene.server.want(rangeOf(0), never)).toEqual({ complete: true });
    expect(await station.status(never)).toEqual(emptyStatus);
    expect(await (await scene.station()).status(never)).toEqual(emptyStatus);
  });

  it('takes no notice of answers to what nobody waits for', async () => {
    await using scene = await linkScene();
    const socket = await scene.raw();
    socket.write(
      '{"id":1,"ask":"hello","version":"1"}\n{"have":77,"complete":true}\n{"id":2,"ask":"status"}\n',
    );
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(() => said.includes('"id":2'));
  });
});

describe('a station', () => {
  async function dropped(said: string): Promise<void> {
    using folder = tempFolder('link');
    const path = join(folder.path, 'mounts.sock');
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.once('data', () => socket.write(`{"id":1,"done":{"version":"1","pid":7}}\n`));
    }).listen(path);
    await once(server, 'listening');
    const handler = { want: () => new Promise<never>(() => {}), touched: () => {} };
    const station = await connectLink({ handler, logger: silentLogger }, { path, version: '1' }, never);
    const status = station.status(never);
    const failed = expect(status).rejects.toBeInstanceOf(Fault);
    sockets[0]?.write(said);
    await station.ended;
    await failed;
    server.close();
  }

  it.each([
    ['nonsense', 'nonsense\n'],
    ['a line past the bound', `"${'x'.repeat(2 ** 20)}`],
    ['a want without its fields', '{"want":1,"chain":"a1"}\n'],
    ['the same want twice', `${JSON.stringify({ want: 1, ...rangeOf(0) })}\n`.repeat(2)],
    ['an answer that is no status', '{"id":2,"done":{"pid":"x"}}\n'],
    ['a message of no kind', '{}\n'],
  ])('drops a mount server that says %s', async (_, said) => dropped(said));
});
