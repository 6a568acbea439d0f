import { Fault } from '../../base/fault.ts';
import type { FetchJob } from './fetch-job.ts';
import type { BlockFetcherComponents } from './fetcher-components.ts';
import { USUAL_BYTES } from './peer-gauge.ts';
import { Station } from './station.ts';
import type { BlockAsk, PeerStation } from './want.ts';

/** Stations that one fetch opens lanes to. */
const MAX_LANES = 64;

/** What comes from stations, and that something about them changed. */
export interface StationBookListener {
  block(ask: BlockAsk, bytes: Uint8Array): void;
  missing(ask: BlockAsk): void;
  lie(ask: BlockAsk): void;
  /** Its station does not answer it any more. */
  lost(ask: BlockAsk): void;
  /** A lane is open, a station tells anew what it has, or it went. */
  changed(): void;
}

/** The stations that were asked for anything, and are connected. */
export class StationBook {
  readonly #components: BlockFetcherComponents;
  readonly #compress: 'auto' | 'never' | 'always';
  /** Running fetches: a station is followed for their roots. */
  readonly #jobs: ReadonlySet<FetchJob>;
  readonly #listener: StationBookListener;
  readonly #stations = new Map<string, PeerStation>();

  constructor(
    components: BlockFetcherComponents,
    compress: 'auto' | 'never' | 'always',
    jobs: ReadonlySet<FetchJob>,
    listener: StationBookListener,
  ) {
    this.#components = components;
    this.#compress = compress;
    this.#jobs = jobs;
    this.#listener = listener;
  }

  all(): Iterable<PeerStation> {
    return this.#stations.values();
  }

  /** With a lane, the nearest first. */
  open(): PeerStation[] {
    return nearestFirst([...this.#stations.values()].filter((station) => station.open));
  }

  /** Connected stations that may be asked, the nearest first; lanes to them are being opened. */
  connected(peers: ReadonlySet<string> | undefined): PeerStation[] {
    const now = this.#components.clock.monotonic();
    const found: PeerStation[] = [];
    for (const peer of this.#components.streams.connectedStations()) {
      if (peers !== undefined && !peers.has(peer)) continue;
      if (this.#components.traffic.droppedReason(peer) !== undefined) continue;
      found.push(this.#station(peer));
    }
    nearestFirst(found);
    found.length = Math.min(found.length, MAX_LANES);
    for (const station of found) station.use(now);
    return found;
  }

  /** It lied: it is let go, and not asked any more. */
  drop(peer: string, reason: string): void {
    const { traffic, logger, dropPeer } = this.#components;
    if (traffic.droppedReason(peer) !== undefined) return;
    traffic.setDropped(peer, reason);
    logger.warn({ peer, reason }, 'a peer lied and is not asked any more');
    this.gone(peer, new Fault('corrupt', 'peer-lied', `peer ${peer} ${reason}`, { fields: { peer } }));
    dropPeer(peer, reason);
  }

  end(fault: Fault): void {
    for (const station of this.#stations.values()) station.end(fault);
  }

  tend(now: number): void {
    for (const station of this.#stations.values()) station.tend(now);
  }

  gone(peer: string, fault: Fault): void {
    const station = this.#stations.get(peer);
    if (station === undefined) return;
    this.#stations.delete(peer);
    station.end(fault);
    for (const job of this.#jobs) job.forget(station);
    this.#listener.changed();
  }

  #station(peer: string): PeerStation {
    let station = this.#stations.get(peer);
    if (station === undefined) {
      const { streams, clock, logger } = this.#components;
      const listener = this.#listener;
      const made: PeerStation = new Station<BlockAsk>(
        peer,
        { streams, clock, logger, compress: this.#compress },
        {
          opened: () => listener.changed(),
          block: (ask, bytes) => listener.block(ask, bytes),
          missing: (ask) => listener.missing(ask),
          lie: (ask) => listener.lie(ask),
          holding: (root) => {
            for (const job of this.#jobs) if (job.rootText === root) job.heldAnew(made);
            listener.changed();
          },
          received: (wire) => this.#components.traffic.addReceived(peer, 0, wire),
          lost: (asks) => {
            for (const ask of asks) listener.lost(ask);
            for (const job of this.#jobs) job.forget(made);
            listener.changed();
          },
        },
      );
      station = made;
      this.#stations.set(peer, station);
      for (const job of this.#jobs) if (job.request.root !== undefined) station.follow(job.request.root);
    }
    return station;
  }
}

function nearestFirst(stations: PeerStation[]): PeerStation[] {
  return stations.sort((a, b) => a.gauge.expected(USUAL_BYTES) - b.gauge.expected(USUAL_BYTES));
}
