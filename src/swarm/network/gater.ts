import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock } from '../../base/clock.ts';
import type { AddressRules } from './address-rules.ts';
import type { Refusals } from './refusals.ts';

/** The one place that decides with whom this station talks. */
export interface Gater {
  /** What libp2p asks, for each dial, connection and relay. */
  readonly hooks: ConnectionGater;
  /** Why an address must not be dialled; `undefined`: it may. */
  addressRefusal(address: Multiaddr): string | undefined;
  /** Lets the peer neither in nor out for a while. */
  drop(peer: string, reason: string): void;
  /** Why the peer is not let in now. */
  dropped(peer: string): string | undefined;
}

export interface GaterComponents {
  readonly rules: AddressRules;
  readonly refusals: Refusals;
  readonly clock: Clock;
}

/** Peers remembered as dropped; the one dropped first is forgotten beyond it. */
const MAX_DROPPED = 1024;

/** @param settings.dropPeerMs how long a dropped peer stays out */
export function createGater(components: GaterComponents, settings: { readonly dropPeerMs: number }): Gater {
  const { rules, refusals, clock } = components;
  const droppedPeers = new Map<string, { readonly reason: string; readonly until: number }>();

  const dropped = (peer: string): string | undefined => {
    const entry = droppedPeers.get(peer);
    if (entry === undefined || entry.until > clock.monotonic()) return entry?.reason;
    droppedPeers.delete(peer);
    return undefined;
  };
  const addressRefusal = (address: Multiaddr): string | undefined => {
    if (!rules.active) return undefined;
    const parts = address.getComponents();
    if (rules.lanOnly && parts.some(({ name }) => name === 'p2p-circuit')) {
      return `${address} goes through a relay (network.lanOnly)`;
    }
    const ip = parts.find(({ name }) => name === 'ip4' || name === 'ip6')?.value;
    // A name can point anywhere by the time it is dialled; `connect` looks names up before it asks here.
    return ip === undefined
      ? `${address} has no IP address to hold against the address lists`
      : rules.refusal(ip);
  };
  const refuse = (direction: string, address: Multiaddr, reason: string | undefined): boolean => {
    if (reason === undefined) return false;
    refusals.add(`${direction} refused: ${reason}`, { address: address.toString() });
    return true;
  };
  const denyPeer = (direction: string) => (peer: PeerId, connection: MultiaddrConnection) => {
    const reason = dropped(peer.toString());
    return refuse(direction, connection.remoteAddr, reason && `${peer} was dropped: ${reason}`);
  };

  return {
    addressRefusal,
    dropped,
    drop(peer, reason) {
      droppedPeers.delete(peer);
      droppedPeers.set(peer, { reason, until: clock.monotonic() + settings.dropPeerMs });
      if (droppedPeers.size > MAX_DROPPED) droppedPeers.delete(droppedPeers.keys().next().value as string);
      refusals.add(`dropped ${peer}: ${reason}`, { peer });
    },
    hooks: {
      denyDialPeer: (peer) => dropped(peer.toString()) !== undefined,
      // Not noted: peers announce addresses of all kinds, which are simply not dialled.
      denyDialMultiaddr: (address) => addressRefusal(address) !== undefined,
      denyInboundConnection: (connection) =>
        refuse('inbound connection', connection.remoteAddr, addressRefusal(connection.remoteAddr)),
      denyInboundEncryptedConnection: denyPeer('inbound connection'),
      denyOutboundEncryptedConnection: denyPeer('dial'),
    },
  };
}
