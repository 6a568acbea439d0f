import type { Clock } from '../base/clock.ts';
import type { LayerPhase, ProgressListener, TotalProgress } from '../observe/progress.ts';

/** Milliseconds between two reports of one thing. */
const INTERVAL = 100;
/** Milliseconds over which the rate is decayed. */
const RATE_WINDOW = 2000;

/** One layer's line. */
export interface LayerReport {
  /** @param bytes content bytes done, @param here those of them that were here already */
  update(phase: LayerPhase, bytes: number, here: number, total?: number): void;
  rename(name: string): void;
}

/** Turns counters into progress events, few enough to send. */
export interface ProgressReporter {
  layer(name: string, total?: number): LayerReport;
  total(bytes: number, here: number, moved: number, options?: { total?: number; peers?: number }): void;
  note(text: string): void;
  /** Sends the last total that was held back: before the result. */
  settle(): void;
  /** Seconds since the start. */
  seconds(): number;
}

export function createProgressReporter(clock: Clock, listener: ProgressListener): ProgressReporter {
  const startedAt = clock.monotonic();
  let layers = 0;
  let totalAt = Number.NEGATIVE_INFINITY;
  let rate = 0;
  let lastBytes = 0;
  let lastAt = startedAt;
  /** Not sent yet. */
  let last: Omit<TotalProgress, 'event' | 'rate' | 'eta'> | undefined;

  function measure(bytes: number, now: number): void {
    const elapsed = now - lastAt;
    if (elapsed <= 0) return;
    const weight = 1 - Math.exp(-elapsed / RATE_WINDOW);
    rate += weight * ((bytes - lastBytes) / (elapsed / 1000) - rate);
    lastBytes = bytes;
    lastAt = now;
  }

  function sendTotal(now: number): void {
    if (last === undefined) return;
    totalAt = now;
    const { bytes, here, total } = last;
    measure(bytes - here, now);
    const eta = total === undefined || rate <= 0 ? undefined : Math.max(0, (total - bytes) / rate);
    listener({
      event: 'total',
      ...last,
      rate: Math.round(Math.max(0, rate)),
      ...(eta === undefined ? {} : { eta }),
    });
    last = undefined;
  }

  return {
    layer(givenName, givenTotal) {
      const index = layers++;
      let name = givenName;
      let sentAt = Number.NEGATIVE_INFINITY;
      let sentPhase: LayerPhase | undefined;
      return {
        rename(newName) {
          name = newName;
        },
        update(phase, bytes, here, total = givenTotal) {
          const now = clock.monotonic();
          if (phase === sentPhase && now - sentAt < INTERVAL) return;
          sentAt = now;
          sentPhase = phase;
          listener({
            event: 'layer',
            index,
            name,
            phase,
            bytes,
            here,
            ...(total === undefined ? {} : { total }),
          });
        },
      };
    },
    total(bytes, here, moved, { total, peers = 0 } = {}) {
      last = { bytes, here, moved, peers, ...(total === undefined ? {} : { total }) };
      const now = clock.monotonic();
      if (now - totalAt >= INTERVAL) sendTotal(now);
    },
    settle() {
      sendTotal(clock.monotonic());
    },
    note(text) {
      listener({ event: 'note', text });
    },
    seconds: () => (clock.monotonic() - startedAt) / 1000,
  };
}
