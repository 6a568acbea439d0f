import { Fault } from '../../base/fault.ts';
import { USUAL_BYTES } from './peer-gauge.ts';
import { DEMAND } from './ranks.ts';
import { type BlockAsk, type PeerStation, type Want, wantBytes } from './want.ts';

export interface LateComponents {
  /** The next best station for a block that is asked of others already. */
  candidate(want: Want): PeerStation | undefined;
  ask(station: PeerStation, want: Want): void;
  /** Takes asks back from a station; their blocks are wanted anew. */
  release(station: PeerStation, asks: readonly BlockAsk[]): void;
}

/** Bytes asked twice may be this share of all that was asked … */
const HEDGE_SHARE = 0.05;
/** … and this much at any time, so that a small fetch has a second try too. */
const HEDGE_FREE = 1024 * 1024;
/** Oldest asks of a station that are looked at. */
const LOOK = 64;
const LEAST_LATE_MS = 500;
const LEAST_STALL_MS = 2000;
/** A station that gives nothing for so long loses its lane: a new one may do better. */
const DEAD_MS = 15_000;

/** Hedging: what is late is asked of the next best peer as well, within a bound; a peer that stalls loses its asks. */
export class LateBlocks {
  readonly #components: LateComponents;
  #asked = 0;
  #hedged = 0;

  constructor(components: LateComponents) {
    this.#components = components;
  }

  /** Sets when each ask is late. */
  asked(station: PeerStation, asks: readonly BlockAsk[], now: number): void {
    for (const ask of asks) {
      const size = ask.size ?? USUAL_BYTES;
      this.#asked += size;
      if (ask.hedge) this.#hedged += size;
      ask.lateAt =
        now +
        (ask.want.rank === DEMAND
          ? station.gauge.demandLate(size)
          : Math.max(LEAST_LATE_MS, 4 * station.gauge.expected(station.inFlight)));
    }
  }

  /** @param settled every block is asked of somebody: stations with nothing to do may take over from slow ones */
  look(station: PeerStation, now: number, settled: boolean): void {
    if (station.asks.size === 0) return;
    if (station.held) postpone(station, now);
    const silent = now - station.waitingSince;
    if (silent >= DEAD_MS) {
      station.close(stalledFault(station));
      return;
    }
    if (silent >= Math.max(LEAST_STALL_MS, 4 * station.gauge.expected(USUAL_BYTES)) && !station.stalled) {
      this.#stall(station);
    }
    let before = 0;
    for (const ask of oldest(station.asks)) {
      before += ask.size ?? USUAL_BYTES;
      if (ask.want.asks.length > 1) continue;
      const late = now >= ask.lateAt;
      if (!late && !settled) continue;
      if (!this.#affords(ask.want)) continue;
      const other = this.#components.candidate(ask.want);
      if (other === undefined || other.stalled) continue;
      const there = other.gauge.expected(other.inFlight + wantBytes(ask.want));
      if (late || station.gauge.expected(before) > 3 * there + 250) this.#components.ask(other, ask.want);
    }
  }

  #affords(want: Want): boolean {
    return this.#hedged + wantBytes(want) <= HEDGE_FREE + this.#asked * HEDGE_SHARE;
  }

  #stall(station: PeerStation): void {
    station.stalled = true;
    station.gauge.punish();
    // What nobody else has stays asked: it may still come.
    const elsewhere = [...station.asks].filter(
      (ask) => ask.want.asks.length > 1 || this.#components.candidate(ask.want) !== undefined,
    );
    if (elsewhere.length > 0) this.#components.release(station, elsewhere);
  }
}

/** What is held is not late, and its peer not silent; what a read waits for may be. */
function postpone(station: PeerStation, now: number): void {
  let reads = false;
  for (const ask of oldest(station.asks)) {
    if (ask.want.rank === DEMAND) reads = true;
    else ask.lateAt = Math.max(ask.lateAt, now + LEAST_LATE_MS);
  }
  if (!reads) station.waitingSince = now;
}

/** A copy: asking another peer may answer or end some. */
function oldest(asks: Iterable<BlockAsk>): BlockAsk[] {
  const found: BlockAsk[] = [];
  for (const ask of asks) {
    if (found.push(ask) === LOOK) break;
  }
  return found;
}

function stalledFault(station: PeerStation): Fault {
  return new Fault(
    'unavailable',
    'peer-stalled',
    `peer ${station.peer} gave nothing for ${DEAD_MS / 1000} s`,
    {
      fields: { peer: station.peer },
    },
  );
}
