import type { Logger } from '../../observe/logger.ts';
import type { Bindings } from '../../store/bindings.ts';
import { decodeCbor, encodeCbor } from '../network/cbor-value.ts';
import { answerPeer, askPeer } from '../network/message-exchange.ts';
import type { PeerStreams } from '../network/peer-streams.ts';
import type { StationTrust } from '../trust/station-trust.ts';
import { CATALOGUE_LIMITS, type Catalogue } from './catalogue.ts';
import type { OwnCatalogue } from './own-catalogue.ts';
import { openCatalogue } from './signed-catalogue.ts';

export const CATALOGUE_PROTOCOL = '/shp/catalogue/1';

export interface CatalogueExchangeComponents {
  readonly streams: PeerStreams;
  readonly own: OwnCatalogue;
  readonly trust: StationTrust;
  readonly bindings: Bindings;
  readonly logger: Logger;
}

export interface CatalogueExchangeSettings {
  /** Kept catalogues, all together. */
  readonly catalogueMaxBytes: number;
  /** Members of the private network are believed bindings as trusted stations are. */
  readonly believeMembers: boolean;
}

/** The catalogues of the stations this one believes, kept while it runs. */
export interface CatalogueExchange {
  get(peer: string): Catalogue | undefined;
  stop(): void;
}

const ASK_MS = 30_000;
const QUESTION_BYTES = 64;
const MAX_INBOUND = 8;
/** A peer that tells of new versions all the time is asked at most so often. */
const ASK_AGAIN_MS = 500;
/** Bindings written at one time. */
const BATCH = 512;

/**
 * `/shp/catalogue/1`: a stream carries one message. `{get: n}`, n the version held (0: none), is answered by
 * `{version, catalogue?}`: no catalogue where n is still the newest. `{notify: n}` is answered by `{}`.
 */
export function createCatalogueExchange(
  components: CatalogueExchangeComponents,
  settings: CatalogueExchangeSettings,
): CatalogueExchange {
  const { streams, own, trust, bindings, logger } = components;
  const kept = new Map<string, { readonly catalogue: Catalogue; readonly bytes: number }>();
  const asking = new Map<string, { again: boolean }>();
  const stopping = new AbortController();
  const timers = new Set<NodeJS.Timeout>();

  const believed = (peer: string) => settings.believeMembers || trust.rank(peer) !== undefined;
  const rankOf = (peer: string) => trust.rank(peer) ?? Number.POSITIVE_INFINITY;
  const ask = (peer: string, question: object) => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(ASK_MS)]);
    const maxBytes = CATALOGUE_LIMITS.bytes;
    return askPeer(() => streams.openStream(peer, CATALOGUE_PROTOCOL, signal), encodeCbor(question), {
      maxBytes,
      signal,
    });
  };

  const refresh = (peer: string): void => {
    if (!believed(peer) || stopping.signal.aborted) return;
    const running = asking.get(peer);
    if (running !== undefined) {
      running.again = true;
      return;
    }
    const state = { again: false };
    asking.set(peer, state);
    void fetchFrom(peer)
      .catch((error) => {
        if (!stopping.signal.aborted)
          logger.warn({ peer, error: String(error) }, 'no catalogue from a station');
      })
      .finally(() => {
        asking.delete(peer);
        if (!state.again || stopping.signal.aborted) return;
        const timer = setTimeout(() => {
          timers.delete(timer);
          refresh(peer);
        }, ASK_AGAIN_MS);
        timers.add(timer);
      });
  };

  const fetchFrom = async (peer: string): Promise<void> => {
    const have = kept.get(peer)?.catalogue.version ?? 0;
    const answer = decodeCbor(await ask(peer, { get: have }), `the answer of ${peer}`);
    const signed = answer.field('catalogue');
    if (signed.absent) return;
    const bytes = signed.bytes(CATALOGUE_LIMITS.bytes);
    const catalogue = await openCatalogue(bytes, peer);
    // An old one, played back by a peer or left by a store that was set back, replaces nothing.
    if (catalogue.version < have || !believed(peer)) return;
    await takeBindings(catalogue);
    if (!believed(peer)) {
      await bindings.dropSource(peer);
      return;
    }
    keep(peer, catalogue, bytes.length);
  };

  const takeBindings = async (catalogue: Catalogue): Promise<void> => {
    const source = catalogue.peer;
    const wanted = catalogue.bindings.filter(({ diffId, root }) => {
      const known = bindings.get(diffId);
      if (known === undefined) return true;
      if (known.source === 'here' || known.root === root) return false;
      return known.source === source || rankOf(source) < rankOf(known.source);
    });
    for (let at = 0; at < wanted.length; at += BATCH) {
      const batch = wanted.slice(at, at + BATCH);
      await Promise.all(
        batch.map(({ diffId, root, tarSize }) => bindings.put({ diffId, root, tarSize, source })),
      );
    }
  };

  const keep = (peer: string, catalogue: Catalogue, bytes: number): void => {
    kept.delete(peer);
    kept.set(peer, { catalogue, bytes });
    let total = [...kept.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    const leastFirst = [...kept.keys()].sort((a, b) => rankOf(b) - rankOf(a));
    for (const other of leastFirst) {
      if (total <= settings.catalogueMaxBytes) return;
      total -= kept.get(other)?.bytes ?? 0;
      kept.delete(other);
    }
  };

  const answer = (peer: string, question: Buffer): Uint8Array => {
    const message = decodeCbor(question, `the question of ${peer}`);
    if (!message.field('notify').absent) {
      if (message.field('notify').count() > (kept.get(peer)?.catalogue.version ?? 0)) refresh(peer);
      return encodeCbor({});
    }
    const have = message.field('get').count();
    const { version, signed } = own;
    return encodeCbor(have === version ? { version } : { version, catalogue: signed });
  };

  streams.handle(
    CATALOGUE_PROTOCOL,
    (stream, peer) => {
      answerPeer(stream, QUESTION_BYTES, ASK_MS, (question) => answer(peer, question)).catch((error) => {
        logger.debug({ peer, error: String(error) }, 'a question for the catalogue failed');
      });
    },
    { maxInbound: MAX_INBOUND },
  );
  const ends = [
    streams.onPeer((peer, up) => up && refresh(peer)),
    trust.onChange((peer, trusted) => {
      if (trusted && streams.connectedStations().includes(peer)) refresh(peer);
      if (!believed(peer)) kept.delete(peer);
    }),
    own.onChange(() => {
      for (const peer of streams.connectedStations()) {
        // A peer that misses it asks when it connects again.
        void ask(peer, { notify: own.version }).catch((error) => {
          logger.debug({ peer, error: String(error) }, 'a station was not told of the new catalogue');
        });
      }
    }),
  ];

  return {
    get: (peer) => kept.get(peer)?.catalogue,
    stop() {
      stopping.abort();
      for (const timer of timers) clearTimeout(timer);
      for (const end of ends) end();
    },
  };
}
