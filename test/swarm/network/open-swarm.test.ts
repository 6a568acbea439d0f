import { networkFingerprint } from '../../../src/config/network-key.ts';
import { NETWORK_KEY, publicStation, publish, soon, testStation } from '../resolve/test-swarm.ts';

describe('swarm', () => {
  it('tells who it is, where, on which network, and who is there', async () => {
    await using a = await testStation({ lanOnly: true });
    await using b = await testStation();
    expect(a.swarm.peerId).toBe(a.id);
    expect(a.swarm.addrs()).toEqual([
      expect.stringMatching(new RegExp(`^/ip4/127.0.0.1/tcp/\\d+/p2p/${a.id}$`)),
    ]);
    expect(a.swarm.network).toMatchObject({
      kind: 'private',
      lanOnly: true,
      fingerprint: networkFingerprint(NETWORK_KEY),
      refusals: [],
    });
    await b.swarm.trust.add(a.id);
    expect(await b.swarm.connect(a.addr, soon())).toBe(a.id);
    expect(b.swarm.peers()).toMatchObject([
      { id: a.id, addr: a.addr, direction: 'outbound', station: true, trusted: true, received: 0, sent: 0 },
    ]);
  });

  it('names the network key at both ends when a station of another network comes', async () => {
    await using a = await testStation();
    await using b = await publicStation();
    await expect(b.swarm.connect(a.addr, soon())).rejects.toMatchObject({ code: 'other-network' });
    while (a.swarm.network.refusals.length === 0) await new Promise((wake) => setTimeout(wake, 5));
    expect(a.swarm.network.refusals[0]).toContain(networkFingerprint(NETWORK_KEY));
    expect(b.swarm.network.refusals[0]).toContain('network key');
    expect(b.swarm.network.kind).toBe('public');
  });

  it('moves a shared block over a lane, and not one that is not shared', async () => {
    await using a = await testStation();
    await using b = await testStation();
    const shared = await publish(a, 1);
    const hidden = await publish(a, 2, { shared: false });
    await b.swarm.connect(a.addr, soon());
    const [block] = shared.blocks.filter(({ cid }) => cid.toString() === shared.record.root);
    if (block === undefined) throw new Error('the image has no root block');
    const got = await b.swarm.fetcher.block(block.cid, { peers: [a.id], signal: soon() });
    expect(Buffer.compare(got, block.bytes)).toBe(0);
    const { cid } = hidden.blocks.at(-1) ?? block;
    await expect(
      b.swarm.fetcher.block(cid, { peers: [a.id], signal: AbortSignal.timeout(1000) }),
    ).rejects.toMatchObject({ name: 'Fault' });
  });

  it('leaves nothing behind when it cannot listen', async () => {
    await using a = await testStation();
    const listen = [a.addr.replace(/\/p2p\/.*/, '')];
    await expect(testStation({ listen })).rejects.toMatchObject({ code: 'cannot-listen' });
  });

  it('stops once, however often it is asked', async () => {
    const a = await testStation();
    await Promise.all([a.swarm.stop(), a.swarm.stop()]);
    await a[Symbol.asyncDispose]();
  });
});
