import type { Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Clock } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { Identity } from '../../config/identity-file.ts';
import type { Logger } from '../../observe/logger.ts';
import type { SwarmSettings } from '../swarm-settings.ts';
import { createAddressRules } from './address-rules.ts';
import { createDialer } from './dialer.ts';
import { createDiscovery, type Discovery } from './discovery.ts';
import { createGater } from './gater.ts';
import { createLibp2pPeer } from './libp2p-peer.ts';
import { listenFault } from './listen-faults.ts';
import { createNetworkGuard } from './network-guard.ts';
import { createRefusals } from './refusals.ts';
import { createStations, type Stations } from './stations.ts';

export interface ConnectedPeer {
  readonly id: string;
  /** With `/p2p/<id>`. */
  readonly addr: string;
  readonly direction: 'inbound' | 'outbound';
  readonly station: boolean;
  readonly latency?: number;
}

/** libp2p as the rest of the swarm sees it. */
export interface Network {
  readonly libp2p: Libp2p;
  readonly stations: Stations;
  readonly discovery: Discovery;
  /**
   * Listens and begins to find peers; protocols are taken before.
   * @throws Fault `unavailable/cannot-listen` (fields: addrs)
   */
  start(): Promise<void>;
  addrs(): string[];
  peers(): ConnectedPeer[];
  /** Newest first. */
  refusals(): readonly string[];
  /** See `Swarm.connect`. */
  connect(addr: string, signal: AbortSignal): Promise<string>;
  /** Closes the peer's connections and lets it neither in nor out for a while. */
  drop(peer: string, reason: string): void;
  /** Why the peer is not let in now. */
  dropped(peer: string): string | undefined;
  stop(): Promise<void>;
}

export interface NetworkComponents {
  readonly identity: Identity;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** After a dial the peer has so long to say what it speaks. */
const IDENTIFY_MS = 3_000;

/** @throws Fault `invalid/bad-address-range` */
export async function openNetwork(components: NetworkComponents, settings: SwarmSettings): Promise<Network> {
  const { identity, logger, clock } = components;
  const refusals = createRefusals(logger, () => clock.monotonic());
  const rules = createAddressRules(settings);
  const gater = createGater({ rules, refusals, clock }, settings);
  const guard = createNetworkGuard({
    networkKey: settings.networkKey,
    onForeign(connection, fault) {
      const address = connection.remoteAddr.toString();
      refusals.add(fault.message, { address, direction: connection.direction });
      dialer.noteForeign(address, fault);
    },
  });
  const libp2p = await createLibp2pPeer(
    { identity, gater, guard, onLanPeer: (peer) => discovery.foundOnLan(peer) },
    settings,
  );
  const dialer = createDialer({ libp2p, gater });
  const discovery = createDiscovery({ libp2p, logger }, settings);
  const stations = createStations({ libp2p, logger });

  return {
    libp2p,
    stations,
    discovery,
    async start() {
      try {
        await libp2p.start();
      } catch (error) {
        throw await listenFault(settings.listen, error);
      }
      discovery.start();
    },
    addrs: () => libp2p.getMultiaddrs().map(String),
    peers() {
      const here = new Set(stations.connectedStations());
      const byPeer = new Map(libp2p.getConnections().map((one) => [one.remotePeer.toString(), one]));
      return [...byPeer].map(([id, { remoteAddr, direction }]) => {
        const latency = stations.latency(id);
        const addr = remoteAddr.toString();
        return {
          id,
          addr: addr.includes('/p2p/') ? addr : `${addr}/p2p/${id}`,
          direction,
          station: here.has(id),
          ...(latency === undefined ? {} : { latency }),
        };
      });
    },
    refusals: () => refusals.list(),
    async connect(addr, signal) {
      const peer = await dialer.dial(addr, signal);
      await stations.identified(peer, AbortSignal.any([signal, AbortSignal.timeout(IDENTIFY_MS)]));
      return peer;
    },
    drop(peer, reason) {
      gater.drop(peer, reason);
      for (const connection of libp2p.getConnections(peerIdFromString(peer))) {
        connection.abort(new Fault('denied', 'peer-dropped', `${peer} was dropped: ${reason}`));
      }
    },
    dropped: (peer) => gater.dropped(peer),
    async stop() {
      discovery.stop();
      stations.stop();
      await libp2p.stop();
    },
  };
}
