import type { Clock } from '../base/clock.ts';
import type { Identity } from '../config/identity-file.ts';
import { networkFingerprint } from '../config/network-key.ts';
import type { Logger } from '../observe/logger.ts';
import type { Store } from '../store/store.ts';
import { startBitswap } from './bitswap/bitswap.ts';
import { createCatalogueExchange } from './catalogue/catalogue-exchange.ts';
import { openOwnCatalogue } from './catalogue/own-catalogue.ts';
import { createBlockServer, type ServeSettings } from './lanes/block-server.ts';
import { createHoldingsBook } from './lanes/holdings-book.ts';
import { createTrafficBook } from './lanes/lane-traffic.ts';
import { openNetwork } from './network/open-network.ts';
import { createResolver } from './resolve/resolver.ts';
import { createBlockFetcher, type FetchSettings } from './scheduler/create-block-fetcher.ts';
import type { Swarm } from './swarm.ts';
import type { SwarmSettings } from './swarm-settings.ts';
import { openTrust } from './trust/station-trust.ts';

export interface SwarmComponents {
  readonly store: Store;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly identity: Identity;
  /** 0 <= x < 1 */
  readonly random: () => number;
}

export interface OpenSwarmSettings extends SwarmSettings {
  readonly fetch: FetchSettings;
  readonly serve: ServeSettings;
}

/** One block from a foreign IPFS node; bitswap itself would wait for ever. */
const BITSWAP_BLOCK_MS = 15_000;

/**
 * Starts the peer: listens, finds stations, serves what is shared. Peers that cannot be reached delay nothing.
 * @throws Fault `unavailable/cannot-listen` (fields: addrs) when no listening address could be taken,
 *   `invalid/bad-address-range`
 */
export async function openSwarm(components: SwarmComponents, settings: OpenSwarmSettings): Promise<Swarm> {
  const { store, logger, clock, identity, random } = components;
  const { networkKey } = settings;
  const isPrivate = networkKey !== undefined;
  const believeAll = isPrivate && settings.trustMembers === 'all';

  const network = await openNetwork({ identity, logger, clock }, settings);
  const { stations, discovery, libp2p } = network;
  const trust = openTrust({ values: store.values, bindings: store.bindings });
  const own = await openOwnCatalogue({ store, identity, logger });
  const catalogues = createCatalogueExchange(
    { streams: stations, own, trust, bindings: store.bindings, logger },
    { catalogueMaxBytes: settings.catalogueMaxBytes, believeMembers: believeAll },
  );
  const resolver = createResolver(
    { store, stations, dialling: () => discovery.dialling, trust, catalogues, logger },
    {
      fullIds: settings.fullIds,
      waitMs: settings.resolveWaitMs,
      believeNames: isPrivate && settings.trustMembers !== 'none',
      believeAll,
    },
  );
  const traffic = createTrafficBook();
  const holdings = createHoldingsBook({ images: store.images });
  const server = createBlockServer(
    { streams: stations, blocks: store.blocks, holdings, traffic, logger, clock },
    settings.serve,
  );
  // All protocols are taken before the start: the first identify message then names them all.
  server.start();
  const bitswap = await startBitswap({ libp2p, blocks: store.blocks }, { blockMs: BITSWAP_BLOCK_MS });
  const fetcher = createBlockFetcher(
    {
      streams: stations,
      blocks: store.blocks,
      bitswap,
      traffic,
      logger,
      clock,
      random,
      dropPeer: network.drop,
    },
    settings.fetch,
  );
  const stop = async () => {
    fetcher.stop();
    server.stop();
    await bitswap.stop();
    catalogues.stop();
    await own.stop();
    await network.stop();
  };
  await network.start().catch(async (error) => {
    await stop();
    throw error;
  });
  let stopped: Promise<void> | undefined;

  return {
    peerId: identity.peerId,
    network: {
      kind: isPrivate ? 'private' : 'public',
      lanOnly: settings.lanOnly,
      ...(isPrivate ? { fingerprint: networkFingerprint(networkKey) } : {}),
      get refusals() {
        return network.refusals();
      },
    },
    trust,
    fetcher,
    holdings,
    addrs: network.addrs,
    peers: () =>
      network.peers().map((peer) => {
        const lane = traffic.traffic(peer.id);
        const dropped = lane?.dropped ?? network.dropped(peer.id);
        const latency = lane?.latency ?? peer.latency;
        return {
          id: peer.id,
          addr: peer.addr,
          direction: peer.direction,
          station: peer.station,
          trusted: trust.rank(peer.id) !== undefined,
          received: lane?.received ?? 0,
          sent: lane?.sent ?? 0,
          ...(latency === undefined ? {} : { latency }),
          ...(dropped === undefined ? {} : { dropped }),
        };
      }),
    connect: network.connect,
    resolve: (query, options) => resolver.resolve(query, options),
    holders: (image, signal) => resolver.holders(image, signal),
    profiles: (image, signal) => resolver.profiles(image, signal),
    keptBlobs: (image, options) => resolver.keptBlobs(image, options),
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}
