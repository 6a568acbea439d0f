import ipaddr from 'ipaddr.js';
import { Fault } from '../../base/fault.ts';

export interface AddressRulesSettings {
  /** CIDR ranges or single addresses; empty: all. */
  readonly allow: readonly string[];
  /** Stronger than `allow`. */
  readonly deny: readonly string[];
  readonly lanOnly: boolean;
}

/** Which IP addresses this station exchanges bytes with; every carrier asks it. */
export interface AddressRules {
  /** False where no address is refused: names then need not be looked up. */
  readonly active: boolean;
  readonly lanOnly: boolean;
  /** Why `ip` is refused, in words; `undefined`: it is not. */
  refusal(ip: string): string | undefined;
}

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

// Loopback, RFC 1918, unique local (RFC 4193), link-local.
const LAN = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
].map(parseRange);

/** @throws Fault `invalid/bad-address-range` (fields: range) */
export function createAddressRules(settings: AddressRulesSettings): AddressRules {
  const allow = settings.allow.map((range) => ({ text: range, range: parseRange(range) }));
  const deny = settings.deny.map((range) => ({ text: range, range: parseRange(range) }));
  return {
    active: settings.lanOnly || allow.length > 0 || deny.length > 0,
    lanOnly: settings.lanOnly,
    refusal(ip) {
      const bare = ip.replace(/%.*$/, '');
      if (!ipaddr.isValid(bare)) return `${ip} is not an IP address`;
      // ::ffff:a.b.c.d is the same peer as a.b.c.d: a dual-stack socket reports the former.
      const address = ipaddr.process(bare);
      const denied = deny.find(({ range }) => contains(range, address));
      if (denied !== undefined) return `${ip} is inside network.deny ${denied.text}`;
      if (settings.lanOnly && !LAN.some((range) => contains(range, address))) {
        return `${ip} is not on the local network (network.lanOnly)`;
      }
      if (allow.length > 0 && !allow.some(({ range }) => contains(range, address))) {
        return `${ip} is not inside network.allow`;
      }
      return undefined;
    },
  };
}

function contains([network, bits]: Range, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

function parseRange(text: string): Range {
  try {
    const [network, bits] = text.includes('/')
      ? ipaddr.parseCIDR(text)
      : ([ipaddr.parse(text), ipaddr.parse(text).kind() === 'ipv4' ? 32 : 128] satisfies Range);
    if (network.kind() === 'ipv6' && (network as ipaddr.IPv6).isIPv4MappedAddress() && bits >= 96) {
      return [(network as ipaddr.IPv6).toIPv4Address(), bits - 96];
    }
    return [network, bits];
  } catch (error) {
    throw new Fault('invalid', 'bad-address-range', `not an address range: ${JSON.stringify(text)}`, {
      cause: error,
      fields: { range: text },
    });
  }
}
