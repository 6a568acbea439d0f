import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys';
import { identify, identifyPush } from '@libp2p/identify';
import type { ConnectionProtector, Libp2p, PeerInfo } from '@libp2p/interface';
import { mdns } from '@libp2p/mdns';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import type { Identity } from '../../config/identity-file.ts';
import { networkFingerprint } from '../../config/network-key.ts';
import type { SwarmSettings } from '../swarm-settings.ts';
import type { Gater } from './gater.ts';
import { natTraversal } from './nat-traversal.ts';
import { noiseCrypto } from './noise-crypto.ts';

export interface Libp2pPeerComponents {
  readonly identity: Identity;
  readonly gater: Gater;
  readonly guard: ConnectionProtector;
  readonly onLanPeer: (peer: PeerInfo) => void;
}

/** Bytes a stream's sender may have on their way; times the streams it bounds memory (yamux's own is 16 MiB). */
const STREAM_WINDOW = 4 * 1024 * 1024;
/** Must hold a whole window, or a paused stream is reset (4 MiB by default, with a window of 16). */
const STREAM_READ_BUFFER = 2 * STREAM_WINDOW;
const LOOPBACK_STORM = 64;

/** The libp2p peer, not started: protocols are taken first, so that the first identify message names them all. */
export async function createLibp2pPeer(
  components: Libp2pPeerComponents,
  settings: SwarmSettings,
): Promise<Libp2p> {
  const isPublic = settings.networkKey === undefined;
  const nat =
    isPublic && settings.natTraversal && !settings.lanOnly
      ? await natTraversal({ dht: settings.dht })
      : { transports: [], services: {}, listen: [] };
  const options: Libp2pOptions = {
    start: false,
    privateKey: privateKeyFromProtobuf(components.identity.privateKey),
    nodeInfo: { name: 'shp', version: '1' },
    addresses: {
      listen: [...settings.listen, ...nat.listen],
      ...(settings.announce.length === 0 ? {} : { announce: [...settings.announce] }),
    },
    transports: [
      // yamux pings every 30 s, so only a dead connection is silent for so long.
      tcp({ inboundSocketInactivityTimeout: 180_000, outboundSocketInactivityTimeout: 180_000 }),
      ...nat.transports,
    ],
    connectionEncrypters: [noise({ crypto: noiseCrypto })],
    streamMuxers: [
      yamux({
        streamOptions: {
          maxStreamWindowSize: STREAM_WINDOW,
          maxReadBufferLength: STREAM_READ_BUFFER,
        },
      }),
    ],
    connectionProtector: () => components.guard,
    peerDiscovery: settings.mdns ? [lanDiscovery(settings.networkKey, components.onLanPeer)] : [],
    connectionGater: components.gater.hooks,
    connectionManager: {
      maxConnections: settings.maxConnections,
      maxParallelDials: 16,
      maxDialQueueLength: 128,
      dialTimeout: 10_000,
      maxIncomingPendingConnections: 64,
      // A second, from one host: stations behind one address, or many on one machine, come at once.
      inboundConnectionThreshold: LOOPBACK_STORM,
    },
    // An event loop busy with hashing answers late: a ping must not cost a connection that moves data.
    connectionMonitor: { pingInterval: 30_000, pingTimeout: { minTimeout: 60_000 } },
    services: { identify: identify(), identifyPush: identifyPush(), ping: ping(), ...nat.services },
  };
  return createLibp2p(options);
}

/** Stations of a private network announce under its fingerprint, so that only they find each other. */
function lanDiscovery(
  networkKey: Uint8Array | undefined,
  onPeer: (peer: PeerInfo) => void,
): NonNullable<Libp2pOptions['peerDiscovery']>[number] {
  const serviceTag =
    networkKey === undefined ? '_p2p._udp.local' : `_shp-${networkFingerprint(networkKey)}._udp.local`;
  const create = mdns({ serviceTag });
  return (components) => {
    const discovery = create(components);
    discovery.addEventListener('peer', ({ detail }) => onPeer(detail));
    return discovery;
  };
}
