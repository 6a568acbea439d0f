import { isIP } from 'node:net';

/** What may stand first in an address that a station listens on or dials, by the multiaddr table. */
const FIRST = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6', 'dnsaddr']);

/**
 * A multiaddr's outer form: `/ip4/0.0.0.0/tcp/4001`, `/dnsaddr/x.org/p2p/Qm…`. The swarm parses the rest; this one
 * catches what a person gets wrong in a file, without loading libp2p.
 * @throws Error with what would be right
 */
export function checkMultiaddr(address: string): string {
  const [empty, protocol, value, ...rest] = address.split('/');
  const bad = (why: string) =>
    new Error(`${JSON.stringify(address)} is not an address: ${why}; give e.g. /ip4/0.0.0.0/tcp/4001`);
  if (empty !== '' || protocol === undefined || !FIRST.has(protocol))
    throw bad('it must begin with /ip4/, /ip6/ or /dns…/');
  if (value === undefined || value === '') throw bad(`/${protocol}/ has no value`);
  if (protocol === 'ip4' && isIP(value) !== 4) throw bad(`${value} is no IPv4 address`);
  if (protocol === 'ip6' && isIP(value) !== 6) throw bad(`${value} is no IPv6 address`);
  const tcp = rest.indexOf('tcp');
  if (tcp !== -1) {
    const port = Number(rest[tcp + 1]);
    if (!/^\d+$/.test(rest[tcp + 1] ?? '') || port > 65_535) throw bad('a port is a number from 0 to 65535');
  }
  return address;
}

/** {@link checkMultiaddr}, and a TCP port, which a listening address needs. @throws Error */
export function checkListenAddress(address: string): string {
  if (!/^\/(ip4|ip6)\/[^/]+\/tcp\/\d+$/.test(checkMultiaddr(address))) {
    throw new Error(
      `${JSON.stringify(address)} cannot be listened on: give /ip4/<address>/tcp/<port> or /ip6/…`,
    );
  }
  return address;
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. @throws Error with what would be right */
export function checkCidrRange(range: string): string {
  const [address, bits, ...more] = range.split('/') as [string, ...string[]];
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  if (
    version === 0 ||
    more.length > 0 ||
    (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > most))
  ) {
    throw new Error(`${JSON.stringify(range)} is not an address range: give e.g. 10.0.0.0/8 or fd00::/8`);
  }
  return range;
}
