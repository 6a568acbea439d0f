/** Plain bytes of a run: neighbours in an image are alike, so they compress together and are asked of one peer. */
const RUN_BYTES = 1024 * 1024;
const RUN_BLOCKS = 256;

/** What the choice of a run needs to know of one peer; `position` is one of the wanted list. */
export interface RunView {
  /** The peer has it, as far as is known. */
  has(position: number): boolean;
  /** All peers of this fetch have everything, so nothing is rarer than anything. */
  readonly even: boolean;
  /** Peers that have it. */
  holders(position: number): number;
}

const UNASKED = 0;
const ASKED = 1;
const DONE = 2;

/**
 * The wanted blocks of one fetch and how far each is, in runs of neighbours. A peer keeps to one run; a new one is the
 * rarest that nobody else works at, from a start that differs between stations, so that those who pull the same image
 * at the same time ask its origin for different parts and give them to each other.
 */
export class BlockRuns {
  readonly count: number;
  readonly #state: Uint8Array;
  readonly #sizes: (position: number) => number;
  readonly #starts: number[] = [];
  /** Unasked blocks of each run, and the lowest position that may be one. */
  readonly #left: Uint32Array;
  readonly #next: Uint32Array;
  readonly #runOf: Uint32Array;
  readonly #first: number;
  readonly #takers = new Map<object, number>();
  #unasked: number;
  #done = 0;

  /** @param first 0 <= x < 1: where the ring of runs begins */
  constructor(count: number, sizes: (position: number) => number, first: number) {
    this.count = count;
    this.#sizes = sizes;
    this.#state = new Uint8Array(count);
    this.#runOf = new Uint32Array(count);
    this.#unasked = count;
    let bytes = 0;
    for (let position = 0; position < count; position++) {
      const begun = position - (this.#starts.at(-1) ?? 0);
      if (position === 0 || bytes >= RUN_BYTES || begun >= RUN_BLOCKS) {
        this.#starts.push(position);
        bytes = 0;
      }
      bytes += sizes(position);
      this.#runOf[position] = this.#starts.length - 1;
    }
    const runs = this.#starts.length;
    this.#next = Uint32Array.from(this.#starts);
    this.#left = Uint32Array.from(this.#starts, (start, run) => (this.#starts[run + 1] ?? count) - start);
    this.#first = Math.min(runs - 1, Math.floor(first * runs));
  }

  get unasked(): number {
    return this.#unasked;
  }

  get done(): number {
    return this.#done;
  }

  isUnasked(position: number): boolean {
    return this.#state[position] === UNASKED;
  }

  isDone(position: number): boolean {
    return this.#state[position] === DONE;
  }

  ask(position: number): void {
    if (this.#state[position] !== UNASKED) return;
    this.#state[position] = ASKED;
    this.#left[this.#runOf[position]!]!--;
    this.#unasked--;
  }

  /** Nobody is asked for it any more. */
  release(position: number): void {
    if (this.#state[position] !== ASKED) return;
    const run = this.#runOf[position]!;
    this.#state[position] = UNASKED;
    this.#left[run]!++;
    this.#next[run] = Math.min(this.#next[run]!, position);
    this.#unasked++;
  }

  finish(position: number): void {
    this.ask(position);
    if (this.#state[position] === DONE) return;
    this.#state[position] = DONE;
    this.#done++;
  }

  leave(taker: object): void {
    this.#takers.delete(taker);
  }

  /** Unasked blocks in the order they are wanted. */
  *pending(): Generator<number> {
    if (this.#unasked === 0) return;
    for (let run = 0; run < this.#starts.length; run++) {
      if (this.#left[run] === 0) continue;
      const end = this.#end(run);
      for (let at = this.#next[run]!; at < end; at++) if (this.#state[at] === UNASKED) yield at;
    }
  }

  /** The lowest position that is not done. */
  firstMissing(): number {
    return this.#state.findIndex((state) => state !== DONE);
  }

  /** Up to `budget` plain bytes of blocks that the peer has, all of one run; the caller asks for each. */
  take(taker: object, view: RunView, budget: number, maxBlocks: number): number[] {
    if (this.#unasked === 0) return [];
    const current = this.#takers.get(taker);
    if (current !== undefined && this.#left[current]! > 0) {
      const taken = this.#takeFrom(current, view, budget, maxBlocks);
      if (taken.length > 0) return taken;
    }
    const run = this.#choose(taker, view);
    if (run === undefined) {
      this.#takers.delete(taker);
      return [];
    }
    this.#takers.set(taker, run);
    return this.#takeFrom(run, view, budget, maxBlocks);
  }

  #choose(taker: object, view: RunView): number | undefined {
    const taken = new Set<number>();
    for (const [other, run] of this.#takers) if (other !== taker) taken.add(run);
    let best: number | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    const runs = this.#starts.length;
    // Where everybody has everything nobody else pulls: then the wanted order counts, whoever reads along keeps pace.
    const first = view.even ? 0 : this.#first;
    for (let i = 0; i < runs; i++) {
      const run = (first + i) % runs;
      if (this.#left[run] === 0) continue;
      const position = this.#firstHeld(run, view);
      if (position === undefined) continue;
      // Rarity first; to share a run with another peer is better than to take a common one before a rare one.
      const cost = (view.even ? 0 : view.holders(position) * 2) + (taken.has(run) ? 1 : 0);
      if (cost >= bestCost) continue;
      best = run;
      bestCost = cost;
      if (view.even ? cost === 0 : cost === 2) break;
    }
    return best;
  }

  #firstHeld(run: number, view: RunView): number | undefined {
    const end = this.#end(run);
    let at = this.#next[run]!;
    while (at < end && this.#state[at] !== UNASKED) at++;
    this.#next[run] = at;
    for (; at < end; at++) if (this.#state[at] === UNASKED && view.has(at)) return at;
    return undefined;
  }

  #takeFrom(run: number, view: RunView, budget: number, maxBlocks: number): number[] {
    const positions: number[] = [];
    const end = this.#end(run);
    let bytes = 0;
    for (let at = this.#next[run]!; at < end && positions.length < maxBlocks; at++) {
      if (this.#state[at] !== UNASKED || !view.has(at)) continue;
      const size = this.#sizes(at);
      if (positions.length > 0 && bytes + size > budget) break;
      positions.push(at);
      bytes += size;
    }
    return positions;
  }

  #end(run: number): number {
    return this.#starts[run + 1] ?? this.count;
  }
}
