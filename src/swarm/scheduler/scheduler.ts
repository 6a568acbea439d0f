import { sha256 } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { WANT_CLASSES } from '../lanes/messages.ts';
import { BitswapQueue } from './bitswap-queue.ts';
import { FetchJob, type JobRequest } from './fetch-job.ts';
import type { BlockFetcherComponents, FetchSettings } from './fetcher-components.ts';
import { LateBlocks } from './late-blocks.ts';
import { USUAL_BYTES } from './peer-gauge.ts';
import { Station } from './station.ts';
import { type BlockAsk, type Claim, type PeerStation, type Want, wantBytes, wantKey } from './want.ts';

/** How often late blocks, stalls and progress are looked at. */
const TICK_MS = 25;
/** Stations that one fetch opens lanes to. */
const MAX_LANES = 64;
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
const DEMAND = 0;

/** Decides what is asked of whom and when, for all fetches of this station. */
export class Scheduler {
  readonly #components: BlockFetcherComponents;
  readonly #settings: FetchSettings;
  readonly #stations = new Map<string, PeerStation>();
  readonly #jobs = new Set<FetchJob>();
  readonly #wants = new Map<string, Want>();
  readonly #late: LateBlocks;
  readonly #bitswap: BitswapQueue;
  readonly #unsubscribe: () => void;
  /** Bytes of blocks that are asked for, or came and are not taken by their fetch. */
  #held = 0;
  #pumping = false;
  #timer: NodeJS.Timeout | undefined;
  #tendTimer: NodeJS.Timeout;
  #stopped = false;

  constructor(components: BlockFetcherComponents, settings: FetchSettings) {
    this.#components = components;
    this.#settings = settings;
    this.#late = new LateBlocks({
      candidate: (want) => this.#bestStation(want.claims[0]!, want),
      ask: (station, want) => this.#ask(station, [want], true),
      release: (station, asks) => this.#giveUp(station, asks),
    });
    this.#bitswap = new BitswapQueue(components, {
      arrived: (want, bytes) => this.#finish(want, bytes, 'bitswap'),
      released: (want) => this.#release(want),
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
      this.#held -= bytes;
      this.#schedule();
    });
    const cancel = (): void => job.fail(new Fault('cancelled', 'cancelled', 'the fetch was cancelled'));
    signal.addEventListener('abort', cancel, { once: true });
    // Level with the others of its class, or they would wait until it caught up.
    job.served = Math.min(...[...this.#jobs].map((other) => other.served), Number.MAX_SAFE_INTEGER);
    if (job.served === Number.MAX_SAFE_INTEGER) job.served = 0;
    this.#jobs.add(job);
    if (request.root !== undefined) {
      for (const station of this.#stations.values()) station.follow(request.root);
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
    const now = this.#now;
    const found: PeerStation[] = [];
    for (const peer of this.#components.streams.connectedStations()) {
      if (peers !== undefined && !peers.has(peer)) continue;
      if (this.#components.traffic.droppedReason(peer) !== undefined) continue;
      found.push(this.#station(peer));
    }
    found.sort((a, b) => a.gauge.expected(USUAL_BYTES) - b.gauge.expected(USUAL_BYTES));
    found.length = Math.min(found.length, MAX_LANES);
    for (const station of found) station.use(now);
    return found;
  }

  drop(peer: string, reason: string): void {
    const { traffic, logger, dropPeer } = this.#components;
    if (traffic.droppedReason(peer) !== undefined) return;
    traffic.setDropped(peer, reason);
    logger.warn({ peer, reason }, 'a peer lied and is not asked any more');
    this.#gone(peer, new Fault('corrupt', 'peer-lied', `peer ${peer} ${reason}`, { fields: { peer } }));
    dropPeer(peer, reason);
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    clearInterval(this.#tendTimer);
    clearTimeout(this.#timer);
    for (const job of this.#jobs) job.fail(stopped());
    for (const station of this.#stations.values()) station.end(stopped());
    this.#bitswap.stop();
  }

  #station(peer: string): PeerStation {
    let station = this.#stations.get(peer);
    if (station === undefined) {
      const { streams, clock, logger } = this.#components;
      const made: PeerStation = new Station<BlockAsk>(
        peer,
        { streams, clock, logger, compress: this.#settings.compress },
        {
          opened: () => this.#schedule(),
          block: (ask, bytes) => this.#block(ask, bytes),
          missing: (ask) => this.#missing(ask),
          lie: (ask) => this.#lie(ask),
          holding: (root) => {
            for (const job of this.#jobs) if (job.rootText === root) job.heldAnew(made);
            this.#schedule();
          },
          received: (wire) => this.#components.traffic.addReceived(peer, 0, wire),
          lost: (asks) => {
            for (const ask of asks) this.#unask(ask);
            for (const job of this.#jobs) job.forget(made);
            this.#schedule();
          },
        },
      );
      station = made;
      this.#stations.set(peer, station);
      for (const job of this.#jobs) if (job.request.root !== undefined) station.follow(job.request.root);
    }
    return station;
  }

  #peer(peer: string, up: boolean): void {
    if (!up) {
      this.#gone(peer, new Fault('unavailable', 'peer-gone', `peer ${peer} went`, { fields: { peer } }));
      return;
    }
    for (const job of this.#jobs) this.#engage(job);
    this.#schedule();
  }

  #gone(peer: string, fault: Fault): void {
    const station = this.#stations.get(peer);
    if (station === undefined) return;
    this.#stations.delete(peer);
    station.end(fault);
    for (const job of this.#jobs) job.forget(station);
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
    const stations = [...this.#stations.values()].filter((station) => station.open);
    stations.sort((a, b) => a.gauge.expected(USUAL_BYTES) - b.gauge.expected(USUAL_BYTES));
    const bulk = [...this.#jobs].filter((job) => job.request.rank !== DEMAND && !job.ended);
    for (const station of stations) this.#fill(station, bulk);
  }

  /** Asks a station for as much of the bulk as it has earned. */
  #fill(station: PeerStation, bulk: FetchJob[]): void {
    for (;;) {
      const budget = Math.min(station.room(), this.#settings.windowBytes - this.#held);
      const least = Math.max(LEAST_TAKE, station.gauge.window() / 8);
      if (budget < least && (station.asks.size > 0 || budget <= 0)) return;
      bulk.sort((a, b) => a.request.rank - b.request.rank || a.served - b.served);
      if (!bulk.some((job) => this.#takeRun(station, job, budget))) return;
    }
  }

  #takeRun(station: PeerStation, job: FetchJob, budget: number): boolean {
    if (job.ended || job.runs.unasked === 0 || !job.allows(station.peer)) return false;
    const peers = [...this.#stations.values()].filter((at) => at.open && job.allows(at.peer));
    const unsure = WANT_CLASSES[job.request.rank] === 'profile';
    const view = job.view(station, peers, unsure);
    const positions = job.runs.take(station, view, budget, MAX_TAKE);
    if (positions.length === 0) return false;
    const fresh: Want[] = [];
    for (const position of positions) {
      const want = this.#claim(job, position);
      if (want !== undefined) fresh.push(want);
    }
    this.#ask(station, fresh, false);
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
      if (this.#held > limit) break;
      const station = this.#bestStation({ job, position }, undefined, assigned);
      if (station === undefined) continue;
      assigned.set(station, (assigned.get(station) ?? 0) + (job.size(position) ?? USUAL_BYTES));
      const want = this.#claim(job, position);
      if (want === undefined) continue;
      const batch = batches.get(station) ?? [];
      batch.push(want);
      batches.set(station, batch);
    }
    for (const [station, batch] of batches) this.#ask(station, batch, false);
  }

  /** Who would give the block first, of those that have it or did not say that they have not. */
  #bestStation(
    { job, position }: Claim,
    want: Want | undefined,
    assigned?: ReadonlyMap<PeerStation, number>,
  ): PeerStation | undefined {
    let best: PeerStation | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    for (const station of this.#stations.values()) {
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

  /** Answers the want where nobody was asked for it yet. */
  #claim(job: FetchJob, position: number): Want | undefined {
    const digest = job.digest(position);
    const key = wantKey(job.request.codec, digest);
    const rank = job.request.rank;
    job.runs.ask(position);
    job.served += job.size(position) ?? USUAL_BYTES;
    const known = this.#wants.get(key);
    if (known !== undefined) {
      known.claims.push({ job, position });
      if (known.rank > rank) {
        known.rank = rank;
        for (const ask of known.asks) ask.station.reclass([ask], rank === DEMAND ? 'demand' : 'profile');
      }
      return undefined;
    }
    const want: Want = {
      key,
      codec: job.request.codec,
      digest,
      size: job.size(position),
      rank,
      claims: [{ job, position }],
      asks: [],
    };
    this.#wants.set(key, want);
    this.#held += wantBytes(want);
    this.#share(want, job, position);
    return want;
  }

  /** Other fetches of the same plan that want the block and have not asked for it get it too. */
  #share(want: Want, job: FetchJob, position: number): void {
    const index = job.request.wanted[position]!;
    for (const other of this.#jobs) {
      if (other === job || other.ended || other.request.digests !== job.request.digests) continue;
      const at = other.unasked(index);
      if (at === undefined) continue;
      other.runs.ask(at);
      want.claims.push({ job: other, position: at });
    }
  }

  #ask(station: PeerStation, wants: readonly Want[], hedge: boolean): void {
    if (wants.length === 0) return;
    const now = this.#now;
    const asks = wants.map((want) => {
      const ask: BlockAsk = {
        want,
        station,
        codec: want.codec,
        digest: want.digest,
        size: want.size,
        askedAt: now,
        lateAt: 0,
        hedge,
        live: true,
        id: 0,
      };
      want.asks.push(ask);
      for (const { job } of want.claims) job.asked.add(station.peer);
      return ask;
    });
    const rank = wants[0]!.rank;
    station.ask(asks, WANT_CLASSES[rank]!, now);
    this.#late.asked(station, asks, now);
  }

  #block(ask: BlockAsk, bytes: Uint8Array): void {
    if (!ask.live) return;
    const { want, station } = ask;
    if (Buffer.compare(sha256(bytes), want.digest) !== 0) {
      this.#lie(ask);
      return;
    }
    station.answered(ask);
    const now = this.#now;
    if (want.rank === DEMAND) station.gauge.demandTook(now - ask.askedAt);
    this.#components.traffic.addReceived(station.peer, bytes.length, 0);
    this.#components.traffic.setGauge(station.peer, station.gauge.latency, station.gauge.rate);
    const job = want.claims[0]?.job;
    if (job !== undefined) {
      job.wireBytes += station.wireLeft;
      station.wireLeft = 0;
    }
    for (const other of want.asks) {
      if (other === ask || !other.live) continue;
      other.station.cancel([other]);
    }
    this.#finish(want, bytes, station.peer);
  }

  #finish(want: Want, bytes: Uint8Array, peer: string): void {
    if (this.#wants.get(want.key) !== want) return;
    this.#wants.delete(want.key);
    const held = wantBytes(want);
    const now = this.#now;
    const [first, ...others] = want.claims;
    // The bytes are the callee's: a second fetch that wanted the same block gets its own.
    for (const { job, position } of others) job.arrived(position, bytes.slice(), peer, 0, now);
    if (first === undefined) this.#held -= held;
    else first.job.arrived(first.position, bytes, peer, held, now);
    this.#schedule();
  }

  #missing(ask: BlockAsk): void {
    if (!ask.live) return;
    ask.station.answered(ask);
    for (const { job, position } of ask.want.claims) job.setMissing(ask.station, position);
    this.#unask(ask);
    this.#schedule();
  }

  #lie(ask: BlockAsk): void {
    const claim = ask.want.claims[0];
    const block = claim === undefined ? 'a block' : claim.job.cid(claim.position).toString();
    this.drop(ask.station.peer, `sent wrong bytes for ${block}`);
  }

  /** The station does not answer this ask any more; with no other ask the block is wanted anew. */
  #unask(ask: BlockAsk): void {
    const { want } = ask;
    ask.live = false;
    const at = want.asks.indexOf(ask);
    if (at >= 0) want.asks.splice(at, 1);
    if (want.asks.length === 0) this.#release(want);
  }

  #release(want: Want): void {
    if (want.asks.length > 0 || this.#wants.get(want.key) !== want) return;
    this.#wants.delete(want.key);
    this.#held -= wantBytes(want);
    for (const { job, position } of want.claims) job.runs.release(position);
    this.#schedule();
  }

  #giveUp(station: PeerStation, asks: readonly BlockAsk[]): void {
    station.cancel(asks);
    for (const ask of asks) this.#unask(ask);
  }

  #remove(job: FetchJob): void {
    this.#jobs.delete(job);
    const cancelled = new Map<PeerStation, BlockAsk[]>();
    // A fetch that is whole has no claim left.
    const open = job.runs.done < job.runs.count ? [...this.#wants.values()] : [];
    for (const want of open) {
      const kept = want.claims.filter((claim) => claim.job !== job);
      if (kept.length === want.claims.length) continue;
      want.claims.length = 0;
      want.claims.push(...kept);
      if (kept.length > 0) continue;
      this.#wants.delete(want.key);
      this.#held -= wantBytes(want);
      this.#bitswap.cancel(want);
      for (const ask of want.asks) {
        const of = cancelled.get(ask.station) ?? [];
        of.push(ask);
        cancelled.set(ask.station, of);
      }
    }
    for (const [station, asks] of cancelled) station.cancel(asks);
    for (const station of this.#stations.values()) {
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
    for (const station of this.#stations.values()) {
      if (station.open) this.#late.look(station, now, settled);
      if (this.#held >= this.#settings.windowBytes) station.gauge.pause();
    }
    for (const job of this.#jobs) this.#lookAfter(job, now);
    if (this.#jobs.size > 0) {
      for (const station of this.#stations.values()) station.tend(now);
      this.#pump();
    }
  }

  #tend(): void {
    const now = this.#now;
    for (const station of this.#stations.values()) station.tend(now);
  }

  #lookAfter(job: FetchJob, now: number): void {
    job.tell(now);
    if (job.handing || this.#held >= this.#settings.windowBytes) job.progressAt = now;
    for (const station of this.#stations.values()) {
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
        const want = this.#claim(job, position);
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
