/** What the background may have of the links: all, a little, or nothing for now. */
export type BackgroundShare = 'all' | 'little' | 'none';

/** Program starts read in a row, with a pause of a round trip at most. */
const QUIET_MS = 300;
/** Reads that go on for longer are no start: the background must come to its end beside them. */
const LONGEST_PAUSE_MS = 10_000;

/** Makes the background stand back while reads wait: what it has on its way delays each of them. */
export class BackgroundYield {
  #busySince = Number.NEGATIVE_INFINITY;
  #busyAt = Number.NEGATIVE_INFINITY;

  /** A read waits now. Monotonic milliseconds. */
  reading(now: number): void {
    if (now - this.#busyAt > QUIET_MS) this.#busySince = now;
    this.#busyAt = now;
  }

  share(now: number): BackgroundShare {
    if (now - this.#busyAt > QUIET_MS) return 'all';
    return now - this.#busySince < LONGEST_PAUSE_MS ? 'none' : 'little';
  }
}
