import type { Libp2p, PeerInfo } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { Fault } from '../../base/fault.ts';
import type { Logger } from '../../observe/logger.ts';

export interface DiscoveryComponents {
  readonly libp2p: Libp2p;
  readonly logger: Logger;
}

export interface DiscoverySettings {
  /** Addresses to stay connected to. */
  readonly bootstrap: readonly string[];
  /** Above this nobody is dialled by itself. */
  readonly maxConnections: number;
}

/** Connects by itself to the peers it is told of, and stays quiet when there are none. */
export interface Discovery {
  /** Begins with the bootstrap addresses. */
  start(): void;
  /** A peer announced itself on the local network; it does so every 10 s. */
  foundOnLan(peer: PeerInfo): void;
  /** Dials of its own under way. */
  readonly dialling: number;
  stop(): void;
}

const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 10 * 60_000;
const DIAL_MS = 10_000;
/** LAN peers that could not be reached are not dialled again for so long, though they announce every 10 s. */
const MDNS_AGAIN_MS = 60_000;
const MAX_FAILED = 256;
const MAX_ADDRESSES = 16;

/** @throws Fault `invalid/bad-address` (fields: addr) for a bootstrap address that is none */
export function createDiscovery(components: DiscoveryComponents, settings: DiscoverySettings): Discovery {
  const { libp2p, logger } = components;
  const bootstrap = settings.bootstrap.map(parseBootstrap);
  const stopping = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  const failedAt = new Map<string, number>();
  let dialling = 0;

  const dial = async (addresses: Multiaddr[]): Promise<boolean> => {
    dialling++;
    try {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(DIAL_MS)]);
      await libp2p.dial(addresses, { signal });
      return true;
    } catch (error) {
      logger.debug({ addr: addresses.map(String), error: String(error) }, 'a peer could not be reached');
      return false;
    } finally {
      dialling--;
    }
  };

  const keep = (address: Multiaddr, delay: number, next: number): void => {
    const timer = setTimeout(async () => {
      timers.delete(timer);
      const peer = address.getComponents().findLast(({ name }) => name === 'p2p')?.value;
      const here = libp2p
        .getConnections()
        .some(({ remotePeer, remoteAddr }) => remotePeer.toString() === peer || remoteAddr.equals(address));
      const reached = here || (await dial([address]));
      if (!stopping.signal.aborted) {
        keep(
          address,
          reached ? LAST_RETRY_MS / 10 : next,
          reached ? FIRST_RETRY_MS : Math.min(next * 2, LAST_RETRY_MS),
        );
      }
    }, delay);
    timer.unref();
    timers.add(timer);
  };

  const found = async (peer: PeerInfo): Promise<void> => {
    const id = peer.id.toString();
    if (stopping.signal.aborted || libp2p.getConnections(peer.id).length > 0) return;
    if (libp2p.getConnections().length >= settings.maxConnections) return;
    if (performance.now() - (failedAt.get(id) ?? Number.NEGATIVE_INFINITY) < MDNS_AGAIN_MS) return;
    failedAt.delete(id);
    failedAt.set(id, performance.now());
    if (failedAt.size > MAX_FAILED) failedAt.delete(failedAt.keys().next().value as string);
    const addresses = peer.multiaddrs
      .slice(0, MAX_ADDRESSES)
      .map((address) => address.encapsulate(`/p2p/${id}`));
    if (await dial(addresses)) failedAt.delete(id);
  };

  return {
    get dialling() {
      return dialling;
    },
    start() {
      for (const address of bootstrap) keep(address, 0, FIRST_RETRY_MS);
    },
    foundOnLan: (peer) => void found(peer),
    stop() {
      stopping.abort();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function parseBootstrap(text: string): Multiaddr {
  try {
    return multiaddr(text.replace(/\/ipfs\//g, '/p2p/'));
  } catch (error) {
    throw new Fault('invalid', 'bad-address', `network.bootstrap: not an address: ${JSON.stringify(text)}`, {
      cause: error,
      fields: { addr: text },
    });
  }
}
