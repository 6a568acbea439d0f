import { lookup } from 'node:dns/promises';
import type { Libp2p } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';

import { Fault } from '../../base/fault.ts';
import { dialFault } from './dial-faults.ts';
import type { Gater } from './gater.ts';

export interface DialerComponents {
  readonly libp2p: Libp2p;
  readonly gater: Gater;
}

export interface Dialer {
  /**
   * Dials one address, with or without `/p2p/<id>`; answers the peer id.
   * @throws Fault `invalid/bad-address`, `denied/address-denied`, `denied/other-network`, `unavailable/dial-failed`
   */
  dial(addr: string, signal: AbortSignal): Promise<string>;
  /** One of our own checks refused a connection to this address while it was dialled. */
  noteForeign(address: string, fault: Fault): void;
}

export function createDialer({ libp2p, gater }: DialerComponents): Dialer {
  /** By the transport address under dial. */
  const foreign = new Map<string, Fault | undefined>();

  return {
    noteForeign(address, fault) {
      if (foreign.has(address)) foreign.set(address, fault);
    },
    async dial(addr, signal) {
      const given = parseAddress(addr);
      const target = gater.addressRefusal(given) === undefined ? given : await withIpAddress(given);
      const refusal = gater.addressRefusal(target);
      if (refusal !== undefined) {
        throw new Fault('denied', 'address-denied', `cannot connect to ${addr}: ${refusal}`, {
          fields: { addr, reason: refusal },
        });
      }
      const dropped = peerOf(target) === undefined ? undefined : gater.dropped(peerOf(target) as string);
      if (dropped !== undefined) {
        throw new Fault('denied', 'peer-dropped', `cannot connect to ${addr}: the peer ${dropped}`, {
          fields: { addr, reason: dropped },
        });
      }
      const key = target.toString();
      foreign.set(key, undefined);
      try {
        const connection = await libp2p.dial(target, { signal });
        return connection.remotePeer.toString();
      } catch (error) {
        throw dialFault(addr, error, foreign.get(key));
      } finally {
        foreign.delete(key);
      }
    },
  };
}

function parseAddress(addr: string): Multiaddr {
  try {
    // Both names of the same code: the old one is what the first screens print.
    const parsed = multiaddr(addr.trim().replace(/\/ipfs\//g, '/p2p/'));
    if (!parsed.getComponents().some(({ name }) => name === 'tcp')) throw new Error('it has no /tcp/ part');
    return parsed;
  } catch (error) {
    throw new Fault(
      'invalid',
      'bad-address',
      `not an address: ${JSON.stringify(addr)}: ${(error as Error).message}; give e.g. /ip4/10.0.0.1/tcp/4001/p2p/<peer id>`,
      { cause: error, fields: { addr } },
    );
  }
}

/** A host name looked up now, so that the address lists see what will be dialled. */
async function withIpAddress(address: Multiaddr): Promise<Multiaddr> {
  const [first, ...rest] = address.getComponents();
  const family = first === undefined ? undefined : { dns: 0, dns4: 4, dns6: 6 }[first.name];
  if (first?.value === undefined || family === undefined) return address;
  try {
    const found = await lookup(first.value, { family });
    const tail = rest.map(({ name, value }) => `/${name}${value === undefined ? '' : `/${value}`}`).join('');
    return multiaddr(`/${found.family === 6 ? 'ip6' : 'ip4'}/${found.address}${tail}`);
  } catch (error) {
    throw dialFault(address.toString(), error, undefined);
  }
}

function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value;
}
