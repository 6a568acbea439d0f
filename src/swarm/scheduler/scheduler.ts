import { Fault } from '../../base/fault.ts';
import { type BackgroundShare, BackgroundYield } from './background-share.ts';
import { BitswapQueue } from './bitswap-queue.ts';
import { FetchJob, type JobRequest } from './fetch-job.ts';
import type { BlockFetcherComponents, FetchSettings } from './fetcher-components.ts';
import { LateBlocks } from './late-blocks.ts';
import { USUAL_BYTES } from './peer-gauge.ts';
import { BACKGROUND, DEMAND, PROFILE } from './ranks.ts';
import { StationBook } from './station-book.ts';
import type { Claim, PeerStation, Want } from './want.ts';
import { WantBook } from './want-book.ts';

/** How often late blocks, stalls and progress are looked at. */
const TICK_MS = 25;
/** Blocks asked of a station in one go, so that one decision does not fix too much. */
const MAX_TAKE = 512;
/**
 * A station that is asked for less than this more, or an eighth of its window, is left alone: frames of one want cost as
 * much as its block.
 */
const LEAST_TAKE = 64 * 1024;
/** What demand may hold beyond the window. */
const DEMAND_RESERVE = 8 * 1024 * 1024;
/** How often a fetch in bulk is searched for blocks that nobody has, and how far. */
const LOOK_MS = 200;
const MAX_LOOK = 2048;
/** Plain bytes that the background may have on its way from one station beside reads that never end. */
const LITTLE = 256 * 1024;
/**
 * Of a start-up profile at least this: all of it where it can be, since the peer's answer is the one round trip, and what
 * the link takes is the credit's to say.
 */
const PROFILE_WINDOW = 8 * 1024 * 1024;

/** Decides what is asked of whom and when, for all fetches of this station. */
export class Scheduler {
  readonly #components: BlockFetcherComponents;
  readonly #settings: FetchSettings;
  readonly #jobs = new Set<FetchJob>();
  readonly #stations: StationBook;
  readonly #wants: WantBook;
  readonly #late: LateBlocks;
  readonly #bitswap: BitswapQueue;
  readonly #yield = new BackgroundYield();
  readonly #unsubscribe: () => void;
  #pumping = false;
  #timer: NodeJS.Timeout | undefined;
  #tendTimer: NodeJS.Timeout;
  #stopped = false;

  constructor(components: BlockFetcherComponents, settings: FetchSettings) {
    this.#components = components;
    this.#settings = settings;
    const changed = (): void => this.#schedule();
    this.#wants = new WantBook(components, this.#jobs, {
      asked: (station, asks, now) => this.#late.asked(station, asks, now),
      unwanted: (want) => this.#bitswap.cancel(want),
      lied: (peer, how) => this.drop(peer, how),
      changed,
    });
    this.#stations = new StationBook(components, settings.compress, this.#jobs, {
      block: (ask, bytes) => this.#wants.came(ask, bytes),
      missing: (ask) => this.#wants.missing(ask),
      lie: (ask) => this.#wants.lie(ask),
      lost: (ask) => this.#wants.unask(ask),
      changed,
    });
    this.#late = new LateBlocks({
      candidate: (want) => this.#bestStation(want.claims[0]!, want),
      ask: (station, want) => this.#wants.ask(station, [want], true),
      release: (station, asks) => this.#wants.giveUp(station, asks),
    });
    this.#bitswap = new BitswapQueue(components, {
      arrived: (want, bytes) => this.#wants.finish(want, bytes, 'bitswap'),
      released: (want) => this.#wants.release(want),
    });
    this.#unsubscribe = components.streams.onPeer((peer, up) => this.#peer(peer, up));
    this.#tendTimer = setInterval(() => this.#tend(), 15_000);
    this.#tendTimer.unref();
  }

  /** Monotonic milliseconds. */
  get #now(): number {
    return this.#components.clock.monotonic();
  }

  /** Runs a fetch to its end; `signal` cancels it. */
  async run(request: JobRequest, signal: AbortSignal): Promise<FetchJob> {
    if (signal.aborted) throw new Fault('cancelled', 'cancelled', 'the fetch was cancelled');
    if (this.#stopped) throw stopped();
    const job = new FetchJob(request, this.#now, (bytes) => {
      this.#wants.held -= bytes;
      this.#schedule();
    });
    const cancel = (): void => job.fail(new Fault('cancelled', 'cancelled', 'the fetch was cancelled'));
    signal.addEventListener('abort', cancel, { once: true });
    // Level with the others of its class, or they would wait until it caught up.
    job.served = Math.min(...[...this.#jobs].map((other) => other.served), Number.MAX_SAFE_INTEGER);
    if (job.served === Number.MAX_SAFE_INTEGER) job.served = 0;
    this.#jobs.add(job);
    if (request.root !== undefined) {
      for (const station of this.#stations.all()) station.follow(request.root);
    }
    this.#engage(job);
    this.#schedule();
    this.#arm();
    try {
      await job.finished;
      return job;
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#remove(job);
    }
  }

  /** Connected stations that may be asked, the nearest first; lanes to them are being opened. */
  stations(peers: ReadonlySet<string> | undefined): PeerStation[] {
    return this.#stations.connected(peers);
  }

  drop(peer: string, reason: string): void {
    this.#stations.drop(peer, reason);
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    clearInterval(this.#tendTimer);
    clearTimeout(this.#timer);
    for (const job of this.#jobs) job.fail(stopped());
    this.#stations.end(stopped());
    this.#bitswap.stop();
  }

  #peer(peer: string, up: boolean): void {
    if (!up) {
      this.#stations.gone(
        peer,
        new Fault('unavailable', 'peer-gone', `peer ${peer} went`, { fields: { peer } }),
      );
      return;
    }
    for (const job of this.#jobs) this.#engage(job);
    this.#schedule();
  }

  #engage(job: FetchJob): void {
    this.stations(job.request.peers);
  }

  #schedule(): void {
    if (this.#pumping || this.#stopped) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#jobs.size === 0) return;
    const limit = this.#settings.windowBytes + DEMAND_RESERVE;
    for (const job of this.#jobs) {
      if (job.request.rank === DEMAND && !job.ended) this.#askEach(job, job.runs.pending(), limit);
    }
    const share = this.#hold();
    const bulk = [...this.#jobs].filter(
      ({ ended, request: { rank } }) =>
        !ended && rank !== DEMAND && (rank !== BACKGROUND || share !== 'none'),
    );
    for (const station of this.#stations.open()) this.#fill(station, bulk, share === 'little');
  }

  /** While reads wait the background stands back, also with what it has asked for. */
  #hold(): BackgroundShare {
    const now = this.#now;
    const waits = (rank: number): boolean => {
      for (const job of this.#jobs) if (job.request.rank === rank && !job.ended) return true;
      return false;
    };
    if (waits(DEMAND)) this.#yield.reading(now);
    const share = this.#yield.share(now);
    const held = share === 'none' && !waits(PROFILE);
    for (const station of this.#stations.open()) station.holdBulk(held);
    return share;
  }

  /**
   * Asks a station for as much of the bulk as it has earned.
   * @param little of the background no more than is on its way in no time
   */
  #fill(station: PeerStation, bulk: FetchJob[], little: boolean): void {
    let taken = true;
    while (taken) {
      bulk.sort((a, b) => a.request.rank - b.request.rank || a.served - b.served);
      taken = bulk.some((job) => {
        const budget = this.#budget(station, job.request.rank, little);
        return budget > 0 && this.#takeRun(station, job, budget);
      });
    }
  }

  /** Plain bytes that may be asked of a station now for a fetch in bulk; 0: none are worth it. */
  #budget(station: PeerStation, rank: number, little: boolean): number {
    const room = station.room(rank === PROFILE ? PROFILE_WINDOW : 0);
    const budget = Math.min(room, this.#settings.windowBytes - this.#wants.held);
    const least = Math.max(LEAST_TAKE, station.gauge.window() / 8);
    if (budget < least && station.asks.size > 0) return 0;
    return little && rank === BACKGROUND ? Math.min(budget, LITTLE - station.inFlight) : budget;
  }

  #takeRun(station: PeerStation, job: FetchJob, budget: number): boolean {
    if (job.ended || job.runs.unasked === 0 || !job.allows(station.peer)) return false;
    const peers = this.#stations.open().filter((at) => job.allows(at.peer));
    const view = job.view(station, peers, job.request.rank === PROFILE);
    const positions = job.runs.take(station, view, budget, MAX_TAKE);
    if (positions.length === 0) return false;
    const fresh: Want[] = [];
    for (const position of positions) {
      const want = this.#wants.claim(job, position);
      if (want !== undefined) fresh.push(want);
    }
    this.#wants.ask(station, fresh, false);
    return true;
  }

  /**
   * Asks each block of who would give it first. Demand does not wait for a peer's window.
   * @param limit bytes that all fetches together may hold
   */
  #askEach(job: FetchJob, positions: Iterable<number>, limit: number): void {
    const batches = new Map<PeerStation, Want[]>();
    const assigned = new Map<PeerStation, number>();
    for (const position of positions) {
      if (this.#wants.held > limit) break;
      const station = this.#bestStation({ job, position }, undefined, assigned);
      if (station === undefined) continue;
      assigned.set(station, (assigned.get(station) ?? 0) + (job.size(position) ?? USUAL_BYTES));
      const want = this.#wants.claim(job, position);
      if (want === undefined) continue;
      const batch = batches.get(station) ?? [];
      batch.push(want);
      batches.set(station, batch);
    }
    for (const [station, batch] of batches) this.#wants.ask(station, batch, false);
  }

  /** Who would give the block first, of those that have it or did not say that they have not. */
  #bestStation(
    { job, position }: Claim,
    want: Want | undefined,
    assigned?: ReadonlyMap<PeerStation, number>,
  ): PeerStation | undefined {
    let best: PeerStation | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    for (const station of this.#stations.all()) {
      if (station.full || !job.allows(station.peer)) continue;
      if (want?.asks.some((ask) => ask.station === station)) continue;
      const holds = job.holds(station, position);
      if (holds === 'missing' || (holds === 'no' && !this.#guessing(job))) continue;
      const doubt = holds === 'yes' ? 0 : holds === 'maybe' ? 5 : 50;
      const queued = (assigned?.get(station) ?? 0) + (station.stalled ? 1e9 : 0);
      const cost = station.gauge.expected((job.size(position) ?? USUAL_BYTES) + queued) + doubt;
      if (cost < bestCost) {
        best = station;
        bestCost = cost;
      }
    }
    return best;
  }

  /** Nobody says it has the block: a station may still hold it below another root. */
  #guessing(job: FetchJob): boolean {
    return job.stuckAt !== undefined && this.#now - job.stuckAt >= 300;
  }

  #remove(job: FetchJob): void {
    this.#jobs.delete(job);
    this.#wants.withdraw(job);
    for (const station of this.#stations.all()) {
      job.forget(station);
      if (job.request.root !== undefined) station.unfollow(job.request.root);
    }
    this.#schedule();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#jobs.size === 0 || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tick();
      this.#arm();
    }, TICK_MS);
  }

  #tick(): void {
    const now = this.#now;
    const settled = [...this.#jobs].every((job) => job.runs.unasked === 0);
    for (const station of this.#stations.all()) {
      if (station.open) this.#late.look(station, now, settled);
      if (station.held || this.#wants.held >= this.#settings.windowBytes) station.gauge.pause();
    }
    for (const job of this.#jobs) this.#lookAfter(job, now);
    if (this.#jobs.size > 0) {
      this.#stations.tend(now);
      this.#pump();
    }
  }

  #tend(): void {
    this.#stations.tend(this.#now);
  }

  #lookAfter(job: FetchJob, now: number): void {
    job.tell(now);
    const stands = job.request.rank === BACKGROUND && this.#yield.share(now) === 'none';
    if (job.handing || stands || this.#wants.held >= this.#settings.windowBytes) job.progressAt = now;
    for (const station of this.#stations.all()) {
      if (!job.allows(station.peer)) continue;
      if (!station.open) station.use(now);
      else if (station.asks.size > 0 && !this.#waitsForNobody(job))
        job.progressAt = Math.max(job.progressAt, station.receivedAt);
    }
    if (now - job.progressAt >= (job.request.waitMs ?? this.#settings.waitMs)) {
      job.fail(job.nobodyHas());
      return;
    }
    if (job.runs.unasked === 0) {
      job.stuckAt = undefined;
    } else if (job.request.rank === DEMAND || now - job.lookedAt >= LOOK_MS) {
      job.lookedAt = now;
      this.#lookForStuck(job, now);
    }
  }

  /** A read waits, and nobody is asked for what it needs: what comes for others meanwhile moves it not. */
  #waitsForNobody(job: FetchJob): boolean {
    const { count, done, unasked } = job.runs;
    return job.request.rank === DEMAND && unasked > 0 && unasked === count - done;
  }

  /** Blocks that no station has: first those that did not say so are asked, then foreign nodes. */
  #lookForStuck(job: FetchJob, now: number): void {
    const stations = this.stations(job.request.peers);
    const open = stations.filter((station) => station.open);
    const opening = stations.some((station) => station.opening);
    const guessing = this.#guessing(job);
    const elsewhere: number[] = [];
    let looked = 0;
    let stuck = false;
    for (const position of job.runs.pending()) {
      if (++looked > MAX_LOOK) break;
      const holds = open.map((station) => job.holds(station, position));
      if (holds.includes('yes') || holds.includes('maybe')) continue;
      stuck = true;
      job.stuckAt ??= now;
      if (guessing && holds.includes('no')) {
        elsewhere.push(position);
        continue;
      }
      const alone = job.rootText === undefined && !opening;
      if (job.request.peers === undefined && (alone || guessing) && this.#bitswap.room) {
        const want = this.#wants.claim(job, position);
        if (want !== undefined) this.#bitswap.get(want, job.cid(position));
      }
    }
    this.#askEach(job, elsewhere, this.#settings.windowBytes);
    if (!stuck) job.stuckAt = undefined;
  }
}

function stopped(): Fault {
  return new Fault('cancelled', 'cancelled', 'the station stops');
}
