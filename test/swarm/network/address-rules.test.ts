import { multiaddr } from '@multiformats/multiaddr';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { createAddressRules } from '../../../src/swarm/network/address-rules.ts';
import { createGater } from '../../../src/swarm/network/gater.ts';
import { createRefusals } from '../../../src/swarm/network/refusals.ts';

const none = { allow: [], deny: [], lanOnly: false };

describe('address rules', () => {
  it('let everyone in when there are none', () => {
    const rules = createAddressRules(none);
    expect(rules.active).toBe(false);
    expect(rules.refusal('8.8.8.8')).toBeUndefined();
  });

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '::1',
    'fd00::1',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
  ])('count %s to the local network', (ip) =>
    expect(createAddressRules({ ...none, lanOnly: true }).refusal(ip)).toBeUndefined(),
  );

  it.each(['8.8.8.8', '172.32.0.1', '192.169.0.1', '100.64.0.1', '2001:db8::1', '::ffff:8.8.8.8'])(
    'do not count %s to the local network',
    (ip) => expect(createAddressRules({ ...none, lanOnly: true }).refusal(ip)).toContain('network.lanOnly'),
  );

  it('hold the allow list, and the deny list above it', () => {
    const rules = createAddressRules({
      ...none,
      allow: ['10.0.0.0/8', 'fd00::/8'],
      deny: ['10.9.0.0/16', '10.1.1.1'],
    });
    expect(rules.refusal('10.2.3.4')).toBeUndefined();
    expect(rules.refusal('fd12::1')).toBeUndefined();
    expect(rules.refusal('11.0.0.1')).toContain('network.allow');
    expect(rules.refusal('10.9.1.1')).toContain('10.9.0.0/16');
    expect(rules.refusal('10.1.1.1')).toContain('network.deny');
    expect(rules.refusal('::ffff:10.9.0.1')).toContain('network.deny');
  });

  it('name a range that is none', () => {
    for (const range of ['10.0.0.0/33', 'x', '300.1.1.1', '10.0.0.0/-1', '']) {
      expect(() => createAddressRules({ ...none, allow: [range] })).toThrow(
        expect.objectContaining({ code: 'bad-address-range', fields: { range } }),
      );
    }
  });
});

describe('gater', () => {
  const gaterOf = (rules: Parameters<typeof createAddressRules>[0], now = () => 0) => {
    const refusals = createRefusals(silentLogger, now);
    const clock = { ...systemClock, monotonic: now };
    const gater = createGater({ rules: createAddressRules(rules), refusals, clock }, { dropPeerMs: 1000 });
    return { gater, refusals };
  };

  it('refuses relays and names where the address cannot be known', () => {
    const { gater } = gaterOf({ ...none, lanOnly: true });
    expect(gater.addressRefusal(multiaddr('/ip4/10.0.0.1/tcp/1'))).toBeUndefined();
    expect(gater.addressRefusal(multiaddr('/ip4/8.8.8.8/tcp/1'))).toContain('8.8.8.8');
    expect(gater.addressRefusal(multiaddr('/dns4/example.org/tcp/1'))).toContain('no IP address');
    expect(gater.addressRefusal(multiaddr('/ip4/10.0.0.1/tcp/1/p2p-circuit'))).toContain('relay');
    expect(gaterOf(none).gater.addressRefusal(multiaddr('/dns4/example.org/tcp/1'))).toBeUndefined();
  });

  it('keeps a dropped peer out for a while', () => {
    let now = 0;
    const { gater, refusals } = gaterOf(none, () => now);
    gater.drop('12D3KooWx', 'sent wrong bytes');
    expect(gater.dropped('12D3KooWx')).toBe('sent wrong bytes');
    expect(refusals.list()[0]).toContain('sent wrong bytes');
    now = 1000;
    expect(gater.dropped('12D3KooWx')).toBeUndefined();
  });
});

describe('refusals', () => {
  it('are bounded, newest first, each once', () => {
    const refusals = createRefusals(silentLogger, () => 0);
    for (let at = 0; at < 100; at++) refusals.add(`refusal ${at}`, {});
    refusals.add('refusal 80', {});
    expect(refusals.list()).toHaveLength(32);
    expect(refusals.list().slice(0, 2)).toEqual(['refusal 80', 'refusal 99']);
  });
});
