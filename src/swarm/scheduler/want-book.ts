import { sha256 } from '../../base/digest.ts';
import { WANT_CLASSES } from '../lanes/messages.ts';
import type { FetchJob } from './fetch-job.ts';
import type { BlockFetcherComponents } from './fetcher-components.ts';
import { USUAL_BYTES } from './peer-gauge.ts';
import { BACKGROUND, DEMAND } from './ranks.ts';
import { type BlockAsk, type PeerStation, type Want, wantBytes, wantKey } from './want.ts';

export interface WantBookEvents {
  asked(station: PeerStation, asks: readonly BlockAsk[], now: number): void;
  /** No fetch wants it any more. */
  unwanted(want: Want): void;
  lied(peer: string, how: string): void;
  /** A block came, is wanted anew, or will not come. */
  changed(): void;
}

/** The blocks on their way: for which fetches, who was asked, and what becomes of the answers. */
export class WantBook {
  /** Bytes of blocks that are asked for, or came and are not taken by their fetch. */
  held = 0;
  readonly #components: BlockFetcherComponents;
  readonly #jobs: ReadonlySet<FetchJob>;
  readonly #events: WantBookEvents;
  readonly #wants = new Map<string, Want>();

  /** @param jobs the running fetches */
  constructor(components: BlockFetcherComponents, jobs: ReadonlySet<FetchJob>, events: WantBookEvents) {
    this.#components = components;
    this.#jobs = jobs;
    this.#events = events;
  }

  /** Answers the want where nobody was asked for it yet. */
  claim(job: FetchJob, position: number): Want | undefined {
    const digest = job.digest(position);
    const key = wantKey(job.request.codec, digest);
    if (job.request.here?.(job.request.wanted[position]!) === true) {
      job.skip(position);
      return undefined;
    }
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
    const come = this.#untaken(job, position);
    if (come !== undefined) {
      job.arrived(position, come.bytes.slice(), come.peer, 0, this.#components.clock.monotonic());
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
    this.held += wantBytes(want);
    this.#share(want, job, position);
    return want;
  }

  /** It came for another fetch of the same plan, which is about to take it. */
  #untaken(job: FetchJob, position: number): ReturnType<FetchJob['untaken']> {
    if (job.request.rank >= BACKGROUND) return undefined;
    const index = job.request.wanted[position]!;
    for (const other of this.#jobs) {
      if (other === job || other.request.digests !== job.request.digests) continue;
      const come = other.untaken(index);
      if (come !== undefined) return come;
    }
    return undefined;
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

  ask(station: PeerStation, wants: readonly Want[], hedge: boolean): void {
    if (wants.length === 0) return;
    const now = this.#components.clock.monotonic();
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
    this.#events.asked(station, asks, now);
  }

  came(ask: BlockAsk, bytes: Uint8Array): void {
    if (!ask.live) return;
    const { want, station } = ask;
    if (Buffer.compare(sha256(bytes), want.digest) !== 0) {
      this.lie(ask);
      return;
    }
    station.answered(ask);
    const now = this.#components.clock.monotonic();
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
    this.finish(want, bytes, station.peer);
  }

  finish(want: Want, bytes: Uint8Array, peer: string): void {
    if (this.#wants.get(want.key) !== want) return;
    this.#wants.delete(want.key);
    const held = wantBytes(want);
    const now = this.#components.clock.monotonic();
    const [first, ...others] = want.claims;
    // The bytes are the callee's: a second fetch that wanted the same block gets its own.
    for (const { job, position } of others) job.arrived(position, bytes.slice(), peer, 0, now);
    if (first === undefined) this.held -= held;
    else first.job.arrived(first.position, bytes, peer, held, now);
    this.#events.changed();
  }

  missing(ask: BlockAsk): void {
    if (!ask.live) return;
    ask.station.answered(ask);
    for (const { job, position } of ask.want.claims) job.setMissing(ask.station, position);
    this.unask(ask);
    this.#events.changed();
  }

  lie(ask: BlockAsk): void {
    const claim = ask.want.claims[0];
    const block = claim === undefined ? 'a block' : claim.job.cid(claim.position).toString();
    this.#events.lied(ask.station.peer, `sent wrong bytes for ${block}`);
  }

  /** The station does not answer this ask any more; with no other ask the block is wanted anew. */
  unask(ask: BlockAsk): void {
    const { want } = ask;
    ask.live = false;
    const at = want.asks.indexOf(ask);
    if (at >= 0) want.asks.splice(at, 1);
    if (want.asks.length === 0) this.release(want);
  }

  release(want: Want): void {
    if (want.asks.length > 0 || this.#wants.get(want.key) !== want) return;
    this.#wants.delete(want.key);
    this.held -= wantBytes(want);
    for (const { job, position } of want.claims) job.runs.release(position);
    this.#events.changed();
  }

  giveUp(station: PeerStation, asks: readonly BlockAsk[]): void {
    station.cancel(asks);
    for (const ask of asks) this.unask(ask);
  }

  /** The fetch has ended: what only it wanted is asked of nobody any more. */
  withdraw(job: FetchJob): void {
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
      this.held -= wantBytes(want);
      this.#events.unwanted(want);
      for (const ask of want.asks) {
        const of = cancelled.get(ask.station) ?? [];
        of.push(ask);
        cancelled.set(ask.station, of);
      }
    }
    for (const [station, asks] of cancelled) station.cancel(asks);
  }
}
