import { createServer } from 'node:net';
import { makeIdentity } from '../../../src/config/identity-file.ts';
import { recordingLogger, soon, testNetwork } from './test-network.ts';

const portOf = (addr: string) => Number(/\/tcp\/(\d+)/.exec(addr)?.[1]);

describe('connect', () => {
  it('takes an address with /p2p/, with /ipfs/, and without a peer id', async () => {
    await using a = await testNetwork();
    for (const form of [
      (addr: string) => addr,
      (addr: string) => addr.replace('/p2p/', '/ipfs/'),
      (addr: string) => addr.replace(/\/p2p\/.*/, ''),
      (addr: string) => addr.replace('/ip4/127.0.0.1', '/dns4/localhost'),
    ]) {
      await using b = await testNetwork();
      expect(await a.network.connect(form(b.addr), soon())).toBe(b.identity.peerId);
      const [peer] = a.network.peers().filter(({ id }) => id === b.identity.peerId);
      expect(peer).toMatchObject({ direction: 'outbound', station: false });
      expect(peer?.addr).toMatch(new RegExp(`/p2p/${b.identity.peerId}$`));
    }
  });

  it('says in plain words why it failed', async () => {
    await using a = await testNetwork();
    await using b = await testNetwork();
    const stranger = b.addr.replace(/\/p2p\/.*/, `/p2p/${makeIdentity().peerId}`);
    const silent = createServer((socket) =>
      socket.on('error', () => {}).end('220 not libp2p at all, really\r\n'),
    );
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    const { port } = silent.address() as { port: number };
    for (const [addr, code, words] of [
      ['/ip4/127.0.0.1/tcp/1', 'dial-failed', 'nothing listens there'],
      [stranger, 'dial-failed', 'another peer id'],
      [a.addr, 'dial-failed', 'this station itself'],
      ['/dns4/no.such.host.invalid/tcp/1', 'dial-failed', 'name'],
      [`/ip4/127.0.0.1/tcp/${port}`, 'other-network', 'no libp2p peer'],
      ['/ip4/127.0.0.1/udp/1', 'bad-address', '/tcp/'],
      ['hello', 'bad-address', 'hello'],
    ] as const) {
      await expect(a.network.connect(addr, soon())).rejects.toMatchObject({
        code,
        message: expect.stringContaining(words),
      });
    }
    silent.close();
  });

  it('gives up when it is aborted', async () => {
    await using a = await testNetwork();
    const mute = createServer(() => {});
    await new Promise<void>((listening) => mute.listen(0, '127.0.0.1', listening));
    const { port } = mute.address() as { port: number };
    await expect(
      a.network.connect(`/ip4/127.0.0.1/tcp/${port}`, AbortSignal.timeout(200)),
    ).rejects.toMatchObject({ code: 'dial-failed', message: expect.stringContaining('no answer in time') });
    mute.close();
  });
});

describe('gater', () => {
  it('refuses to dial and to let in by the address lists', async () => {
    const log = recordingLogger();
    await using guarded = await testNetwork({ deny: ['127.0.0.0/8'] }, undefined, log);
    await using other = await testNetwork();
    await expect(guarded.network.connect(other.addr, soon())).rejects.toMatchObject({
      kind: 'denied',
      code: 'address-denied',
      message: expect.stringContaining('network.deny 127.0.0.0/8'),
    });
    await expect(other.network.connect(guarded.addr, soon())).rejects.toMatchObject({
      kind: expect.any(String),
    });
    expect(guarded.network.refusals()[0]).toContain('127.0.0.1 is inside network.deny');
    expect(log.lines).toContainEqual(expect.stringMatching(/^warn: inbound connection refused/));
    expect([...guarded.network.peers(), ...other.network.peers()]).toEqual([]);
  });

  it('lets loopback through where only the local network is allowed, and nobody else', async () => {
    await using a = await testNetwork({ lanOnly: true });
    await using b = await testNetwork({ lanOnly: true, allow: ['127.0.0.1'] });
    expect(await a.network.connect(b.addr, soon())).toBe(b.identity.peerId);
    await expect(a.network.connect('/ip4/8.8.8.8/tcp/1', soon())).rejects.toMatchObject({
      code: 'address-denied',
      message: expect.stringContaining('lanOnly'),
    });
  });

  it('closes on a dropped peer and keeps it out, both ways', async () => {
    await using a = await testNetwork();
    await using b = await testNetwork();
    const peer = await a.network.connect(b.addr, soon());
    a.network.drop(peer, 'sent wrong bytes for bafk');
    expect(a.network.dropped(peer)).toBe('sent wrong bytes for bafk');
    while (a.network.peers().length > 0) await a.network.stations.change(soon());
    await expect(a.network.connect(b.addr, soon())).rejects.toMatchObject({
      code: 'peer-dropped',
      message: expect.stringContaining('sent wrong bytes'),
    });
    await b.network.connect(a.addr, soon()).catch(() => {});
    while (b.network.peers().length > 0) await b.network.stations.change(soon());
    expect(a.network.peers()).toEqual([]);
  });
});

describe('listening', () => {
  it('names the address that is taken', async () => {
    await using a = await testNetwork();
    const listen = [`/ip4/127.0.0.1/tcp/${portOf(a.addr)}`];
    await expect(testNetwork({ listen })).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'cannot-listen',
      message: expect.stringMatching(/tcp\/\d+: the port is taken/),
    });
  });

  it('gives its port and its connections back when it stops', async () => {
    const a = await testNetwork();
    await using b = await testNetwork();
    await b.network.connect(a.addr, soon());
    await a.network.stop();
    while (b.network.peers().length > 0) await b.network.stations.change(soon());
    await using again = await testNetwork({ listen: [`/ip4/127.0.0.1/tcp/${portOf(a.addr)}`] });
    expect(portOf(again.addr)).toBe(portOf(a.addr));
  });

  it('starts whether or not its bootstrap peers can be reached, and connects to those that can', async () => {
    const log = recordingLogger();
    await using b = await testNetwork();
    await using a = await testNetwork(
      {
        bootstrap: [
          '/ip4/127.0.0.1/tcp/1/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN',
          '/dnsaddr/no.such.host.invalid/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb',
          b.addr,
        ],
      },
      undefined,
      log,
    );
    while (a.network.peers().length === 0) await a.network.stations.change(soon());
    expect(a.network.peers()[0]?.id).toBe(b.identity.peerId);
    expect(log.lines.filter((line) => !line.startsWith('debug:'))).toEqual([]);
  });

  it('names a bootstrap address that is none', async () => {
    await expect(testNetwork({ bootstrap: ['/ip4/x'] })).rejects.toMatchObject({
      code: 'bad-address',
      fields: { addr: '/ip4/x' },
    });
  });

  it('asks relays and routers for help only where it may, and quietly where there are none', async () => {
    const log = recordingLogger();
    await using a = await testNetwork({ natTraversal: true }, undefined, log);
    await using b = await testNetwork({ natTraversal: true, lanOnly: true }, undefined, log);
    await using c = await testNetwork({ natTraversal: true, networkKey: Buffer.alloc(32) }, undefined, log);
    const hop = '/libp2p/circuit/relay/0.2.0/stop';
    expect([a, b, c].map(({ network }) => network.libp2p.getProtocols().includes(hop))).toEqual([
      true,
      false,
      false,
    ]);
    expect(log.lines).toEqual([]);
  });
});
