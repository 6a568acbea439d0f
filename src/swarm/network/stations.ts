import { type Connection, type IdentifyResult, KEEP_ALIVE, type Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { Fault } from '../../base/fault.ts';
import type { Logger } from '../../observe/logger.ts';
import { toByteStream } from './libp2p-stream.ts';
import type { ByteStream, PeerStreams } from './peer-streams.ts';

/** What tells a station from any other libp2p peer: one of these protocols in its identify message. */
const STATION_PROTOCOLS = new Set(['/shp/blocks/1', '/shp/catalogue/1']);
const PING = '/ipfs/ping/1.0.0';
const PING_BYTES = 32;
const STATION_TAG = 50;
const PING_MS = 10_000;
/** libp2p's own limit of 32 streams a protocol would reset a busy lane's streams without a word. */
const MAX_OUTBOUND = 256;

export interface Stations extends PeerStreams {
  /** Connected peers whose protocols are not known yet. */
  readonly unidentified: number;
  /** Resolves when the peer's protocols are known or it went, or at the signal's abort. */
  identified(peer: string, signal: AbortSignal): Promise<void>;
  /** Resolves at the next change of who is here, or at the signal's abort. */
  change(signal: AbortSignal): Promise<void>;
  stop(): void;
}

export interface StationsComponents {
  readonly libp2p: Libp2p;
  readonly logger: Logger;
}

/** Who of the connected peers is a station, and streams to them. To be made before libp2p starts. */
export function createStations({ libp2p, logger }: StationsComponents): Stations {
  const stations = new Map<string, { latency?: number }>();
  /** Connected, not identified yet. */
  const unknown = new Set<string>();
  const listeners = new Set<(peer: string, up: boolean) => void>();
  const changes = new Set<() => void>();
  const stopping = new AbortController();

  const changed = () => {
    for (const resolve of changes) resolve();
    changes.clear();
  };
  const tell = (peer: string, up: boolean) => {
    for (const listener of listeners) listener(peer, up);
  };
  const leave = (peer: string) => {
    unknown.delete(peer);
    if (stations.delete(peer)) tell(peer, false);
    changed();
  };
  const onConnect = ({ detail }: CustomEvent<{ toString(): string }>) => {
    unknown.add(detail.toString());
    changed();
  };
  const onIdentify = ({ detail }: CustomEvent<IdentifyResult>) => {
    const peer = detail.peerId.toString();
    unknown.delete(peer);
    if (!stations.has(peer) && detail.protocols.some((protocol) => STATION_PROTOCOLS.has(protocol))) {
      stations.set(peer, {});
      logger.info({ peer, addr: detail.connection.remoteAddr.toString() }, 'a station is connected');
      // Kept before foreign peers when connections are closed for their number, and dialled again when lost.
      const tags = { [`${KEEP_ALIVE}-station`]: { value: STATION_TAG } };
      libp2p.peerStore.merge(detail.peerId, { tags }).catch((error) => {
        logger.debug({ peer, error: String(error) }, 'a station was not tagged');
      });
      void measure(peer, detail.connection);
      tell(peer, true);
    }
    changed();
  };
  const onDisconnect = ({ detail }: CustomEvent<{ toString(): string }>) => leave(detail.toString());
  const measure = async (peer: string, connection: Connection): Promise<void> => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(PING_MS)]);
    try {
      const stream = toByteStream(await connection.newStream(PING, { signal }), peer);
      signal.addEventListener('abort', () => stream.abort(signal.reason), { once: true });
      const start = performance.now();
      await stream.write(Buffer.alloc(PING_BYTES, 1));
      await stream.read[Symbol.asyncIterator]().next();
      const entry = stations.get(peer);
      if (entry !== undefined) entry.latency = performance.now() - start;
      await stream.closeWrite();
    } catch (error) {
      logger.debug({ peer, error: String(error) }, 'no answer to a ping');
    }
  };

  libp2p.addEventListener('peer:connect', onConnect);
  libp2p.addEventListener('peer:identify', onIdentify);
  libp2p.addEventListener('peer:disconnect', onDisconnect);

  const change = (signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => resolve();
    if (signal.aborted || stopping.signal.aborted) end();
    changes.add(end);
    signal.addEventListener('abort', end, { once: true });
    return promise.finally(() => {
      changes.delete(end);
      signal.removeEventListener('abort', end);
    });
  };

  return {
    change,
    get unidentified() {
      return unknown.size;
    },
    async identified(peer, signal) {
      while (unknown.has(peer) && !signal.aborted && !stopping.signal.aborted) await change(signal);
    },
    async openStream(peer, protocol, signal): Promise<ByteStream> {
      const open = libp2p.getConnections(peerIdFromString(peer)).filter(({ status }) => status === 'open');
      // A relayed connection is limited in bytes and time: only where there is no other.
      const connection = open.find(({ limits }) => limits === undefined) ?? open[0];
      if (connection === undefined) {
        throw new Fault('unavailable', 'not-connected', `not connected to ${peer}`, { fields: { peer } });
      }
      try {
        const stream = await connection.newStream(protocol, { signal, maxOutboundStreams: MAX_OUTBOUND });
        return toByteStream(stream, peer);
      } catch (error) {
        throw streamFault(error, peer, protocol, signal);
      }
    },
    handle(protocol, handler, options) {
      const taken = libp2p.handle(
        protocol,
        (stream, connection) => {
          const peer = connection.remotePeer.toString();
          const bytes = toByteStream(stream, peer);
          try {
            handler(bytes, peer);
          } catch (error) {
            logger.warn({ peer, protocol, error: String(error) }, 'a stream failed');
            bytes.abort(error as Error);
          }
        },
        { maxInboundStreams: options.maxInbound, maxOutboundStreams: MAX_OUTBOUND },
      );
      taken.catch((error) => logger.error({ protocol, error: String(error) }, 'a protocol was not taken'));
    },
    connectedStations: () => [...stations.keys()],
    onPeer(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    latency: (peer) => stations.get(peer)?.latency,
    stop() {
      stopping.abort(new Fault('cancelled', 'cancelled', 'the station stops'));
      libp2p.removeEventListener('peer:connect', onConnect);
      libp2p.removeEventListener('peer:identify', onIdentify);
      libp2p.removeEventListener('peer:disconnect', onDisconnect);
      changed();
    },
  };
}

function streamFault(error: unknown, peer: string, protocol: string, signal: AbortSignal): Fault {
  if (signal.aborted) return new Fault('cancelled', 'cancelled', 'cancelled', { cause: error });
  const fields = { peer, protocol };
  if ((error as Error).name === 'UnsupportedProtocolError') {
    return new Fault('unsupported', 'no-such-protocol', `${peer} does not speak ${protocol}`, {
      cause: error,
      fields,
    });
  }
  return new Fault('unavailable', 'stream-failed', `no stream to ${peer} for ${protocol}`, {
    cause: error,
    fields,
  });
}
