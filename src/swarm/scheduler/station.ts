import type { CID } from 'multiformats/cid';
import type { Clock } from '../../base/clock.ts';
import { Fault, toFault } from '../../base/fault.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Holding } from '../lanes/holdings-book.ts';
import { type Ask, type Lane, openLane } from '../lanes/lane.ts';
import { IDLE_MS, KEEP_ALIVE_MS, LANE_PROTOCOL, MAX_OPEN_WANTS } from '../lanes/lane-limits.ts';
import type { TreeWant } from '../lanes/messages.ts';
import type { PeerStreams } from '../network/peer-streams.ts';
import { PeerGauge } from './peer-gauge.ts';

export interface TreeListener {
  blocks(cids: readonly CID[], blocks: readonly Uint8Array[]): void;
  /** @param fault why it is not whole; the lane may be lost */
  end(fault: Fault | undefined): void;
}

/** An ask as its station counts it. */
export interface StationAsk extends Ask {
  /** False once it is answered, cancelled, or its lane is gone. */
  live: boolean;
}

/** What a station tells the scheduler. */
export interface StationListener<A extends StationAsk> {
  opened(): void;
  block(ask: A, bytes: Uint8Array): void;
  missing(ask: A): void;
  lie(ask: A): void;
  holding(root: string): void;
  received(wire: number): void;
  /** Its asks are answered by nobody. */
  lost(asks: readonly A[], fault: Fault): void;
}

export interface StationComponents {
  readonly streams: PeerStreams;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly compress: 'auto' | 'never' | 'always';
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
/** What a waiting want costs beside its bytes, so that many empty files do not count as nothing. */
const WANT_BYTES = 256;
const BUSY_PING_MS = 2000;

/** One peer as the scheduler sees it: its lane, what it has, what it is asked for, and what it has earned. */
export class Station<A extends StationAsk> {
  readonly peer: string;
  readonly gauge: PeerGauge;
  /** In the order they were asked. */
  readonly asks = new Set<A>();
  /** Bytes asked and not answered. */
  inFlight = 0;
  receivedAt = 0;
  /** When the oldest time without an answer began. */
  waitingSince = 0;
  stalled = false;
  /** Nothing of the bulk is to come for now: see {@link holdBulk}. */
  held = false;
  /** Wire bytes that are not counted for any fetch yet. */
  wireLeft = 0;
  readonly #components: StationComponents;
  readonly #listener: StationListener<A>;
  readonly #holdings = new Map<string, Holding>();
  readonly #followed = new Map<string, { readonly root: CID; count: number }>();
  readonly #trees = new Map<number, TreeListener>();
  readonly #ended = new AbortController();
  #lane: Lane<A> | undefined;
  #opening: Promise<void> | undefined;
  #retryAt = 0;
  #retryMs = FIRST_RETRY_MS;
  #usedAt = 0;
  #pingedAt = 0;

  constructor(peer: string, components: StationComponents, listener: StationListener<A>) {
    this.peer = peer;
    this.#components = components;
    this.#listener = listener;
    this.gauge = new PeerGauge(components.compress, components.streams.latency(peer));
  }

  get open(): boolean {
    return this.#lane !== undefined;
  }

  /** A lane is on its way, or will be tried again. */
  get opening(): boolean {
    return this.#opening !== undefined;
  }

  holding(root: string): Holding | undefined {
    return this.#holdings.get(root);
  }

  /** It has as many wants as a lane should carry. */
  get full(): boolean {
    return this.#lane === undefined || this.#lane.open > MAX_OPEN_WANTS / 2;
  }

  /** Plain bytes that may be asked of it now. @param least that may be on their way though it did not earn them */
  room(least = 0): number {
    if (this.full) return 0;
    return (this.stalled ? WANT_BYTES * 1024 : Math.max(least, this.gauge.window())) - this.inFlight;
  }

  use(now: number): void {
    this.#usedAt = now;
    if (this.#lane === undefined && this.#opening === undefined && now >= this.#retryAt) {
      this.#opening = this.#openLane().finally(() => {
        this.#opening = undefined;
      });
    }
  }

  /** Resolves when the lane is open or could not be opened. */
  async ready(now: number): Promise<boolean> {
    this.use(now);
    await this.#opening;
    return this.open;
  }

  follow(root: CID): void {
    const key = root.toString();
    const followed = this.#followed.get(key);
    if (followed !== undefined) {
      followed.count++;
      return;
    }
    this.#followed.set(key, { root, count: 1 });
    this.#lane?.follow(root);
  }

  unfollow(root: CID): void {
    const key = root.toString();
    const followed = this.#followed.get(key);
    if (followed === undefined || --followed.count > 0) return;
    this.#followed.delete(key);
    this.#holdings.delete(key);
    this.#lane?.unfollow(root);
  }

  /** The lane must be open. */
  ask(asks: readonly A[], wantClass: 'demand' | 'profile' | 'background', now: number): void {
    if (this.asks.size === 0) this.waitingSince = now;
    this.#usedAt = now;
    for (const ask of asks) {
      this.asks.add(ask);
      this.inFlight += (ask.size ?? 0) + WANT_BYTES;
    }
    this.#lane!.want(asks, wantClass, this.gauge.level(wantClass === 'background'));
  }

  answered(ask: A): void {
    if (!this.asks.delete(ask)) return;
    ask.live = false;
    this.inFlight -= (ask.size ?? 0) + WANT_BYTES;
    if (this.asks.size === 0) this.gauge.pause();
  }

  /**
   * Gives no more credit, or gives it again: what was asked in bulk stays asked, and stays with the peer; what somebody
   * waits for needs no credit. A tree does.
   */
  holdBulk(held: boolean): void {
    const now = held && this.#trees.size === 0;
    if (now === this.held) return;
    this.held = now;
    if (now) this.gauge.pause();
    else this.waitingSince = this.#components.clock.monotonic();
    this.#setAhead();
  }

  #setAhead(): void {
    this.#lane?.setAhead(this.held ? 0 : this.gauge.ahead());
  }

  cancel(asks: readonly A[]): void {
    this.#lane?.cancel(asks);
    for (const ask of asks) this.answered(ask);
  }

  reclass(asks: readonly A[], wantClass: 'demand' | 'profile'): void {
    this.#lane?.reclass(asks, wantClass);
  }

  /** The lane must be open. */
  tree(
    want: Omit<TreeWant, 'type' | 'id'>,
    listener: TreeListener,
  ): { cancel(): void; hold(on: boolean): void } {
    const lane = this.#lane!;
    const id = lane.tree(want);
    this.#trees.set(id, listener);
    this.holdBulk(false);
    return {
      cancel: () => {
        this.#trees.delete(id);
        lane.cancelTree(id);
        lane.hold(false);
      },
      hold: (on) => lane.hold(on),
    };
  }

  /** Keeps the stream alive while it is used, and gives it up when it was not for long. */
  tend(now: number): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    if (now - this.#usedAt > IDLE_MS) {
      this.close(new Fault('unavailable', 'lane-idle', 'nobody used the lane'));
      return;
    }
    const due = this.asks.size > 0 ? BUSY_PING_MS : KEEP_ALIVE_MS;
    if (now - this.#pingedAt >= due) {
      this.#pingedAt = now;
      lane.ping();
    }
  }

  close(fault: Fault): void {
    this.#lane?.close(fault);
  }

  /** For good: the peer is gone, or not asked any more. */
  end(fault: Fault): void {
    this.#ended.abort();
    this.close(fault);
  }

  async #openLane(): Promise<void> {
    const { streams, clock, logger } = this.#components;
    try {
      const stream = await streams.openStream(this.peer, LANE_PROTOCOL, this.#ended.signal);
      if (this.#ended.signal.aborted) {
        stream.abort(new Fault('cancelled', 'cancelled', 'cancelled'));
        return;
      }
      this.#opened(stream);
    } catch (thrown) {
      const fault = toFault(thrown);
      logger.debug({ peer: this.peer, code: fault.code, reason: fault.message }, 'no lane to a peer');
      this.#later(clock.monotonic());
    }
  }

  #later(now: number): void {
    this.#retryAt = now + this.#retryMs;
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  #opened(stream: Parameters<typeof openLane>[0]): void {
    const { clock } = this.#components;
    const listener = this.#listener;
    this.#lane = openLane<A>(stream, this.#components, {
      block: (ask, bytes) => {
        this.#retryMs = FIRST_RETRY_MS;
        listener.block(ask, bytes);
      },
      missing: (ask) => listener.missing(ask),
      lie: (ask) => listener.lie(ask),
      holding: (root, holding) => {
        if (!this.#followed.has(root)) return;
        this.#holdings.set(root, holding);
        listener.holding(root);
      },
      treeBlocks: (id, cids, blocks) => this.#trees.get(id)?.blocks(cids, blocks),
      treeEnd: (id, fault) => {
        const tree = this.#trees.get(id);
        this.#trees.delete(id);
        tree?.end(fault);
      },
      received: (wire, plain) => this.#received(wire, plain),
      roundTrip: (ms) => {
        this.gauge.roundTrip(ms, this.asks.size === 0 && this.#trees.size === 0);
      },
      closed: (fault) => this.#closed(fault),
    });
    this.receivedAt = clock.monotonic();
    this.#pingedAt = this.receivedAt;
    for (const { root } of this.#followed.values()) this.#lane.follow(root);
    listener.opened();
  }

  #received(wire: number, plain: number): void {
    const now = this.#components.clock.monotonic();
    // A pong or a few deltas are no sign that blocks come.
    if (plain > 0 || wire > 1024) {
      this.receivedAt = now;
      this.waitingSince = now;
      this.stalled = false;
    }
    this.wireLeft += wire;
    if (this.asks.size > 0 || plain > 0) {
      this.gauge.received(wire, plain, now);
      this.#setAhead();
    }
    this.#listener.received(wire);
  }

  #closed(fault: Fault): void {
    const { clock, logger } = this.#components;
    this.#lane = undefined;
    this.held = false;
    this.#later(clock.monotonic());
    this.#holdings.clear();
    this.gauge.pause();
    const asks = [...this.asks];
    for (const ask of asks) ask.live = false;
    this.asks.clear();
    this.inFlight = 0;
    const trees = [...this.#trees.values()];
    this.#trees.clear();
    const level = fault.code === 'lane-violation' ? 'warn' : 'debug';
    logger[level]({ peer: this.peer, code: fault.code, reason: fault.message }, 'the lane to a peer closed');
    for (const tree of trees) tree.end(fault);
    this.#listener.lost(asks, fault);
  }
}
