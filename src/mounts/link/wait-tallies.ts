import { createWaitTimes, type WaitTimes } from './wait-times.ts';

/** Of one chain, since the mount server started; the percentiles over the last 512 waits that were answered. Times in ms. */
export interface WaitStatistics {
  readonly waited: number;
  readonly waiting: number;
  readonly failed: number;
  readonly waitP50: number;
  readonly waitP99: number;
}

/** Counts readers by chain. Each that began leaves once; one that was interrupted neither fails nor is measured. */
export interface WaitTallies {
  began(chain: string): void;
  left(chain: string, how: { readonly answeredAfter: number } | 'failed' | 'interrupted'): void;
  statistics(chain: string): WaitStatistics;
  /** Its figures go, unless somebody waits. */
  forget(chain: string): void;
}

interface Tally {
  waited: number;
  waiting: number;
  failed: number;
  readonly times: WaitTimes;
}

export function createWaitTallies(): WaitTallies {
  const tallies = new Map<string, Tally>();
  return {
    began(chain) {
      let tally = tallies.get(chain);
      if (tally === undefined) {
        tally = { waited: 0, waiting: 0, failed: 0, times: createWaitTimes() };
        tallies.set(chain, tally);
      }
      tally.waited++;
      tally.waiting++;
    },
    left(chain, how) {
      const tally = tallies.get(chain);
      if (tally === undefined) return;
      tally.waiting--;
      if (how === 'failed') tally.failed++;
      else if (how !== 'interrupted') tally.times.add(how.answeredAfter);
    },
    statistics(chain) {
      const tally = tallies.get(chain);
      return {
        waited: tally?.waited ?? 0,
        waiting: tally?.waiting ?? 0,
        failed: tally?.failed ?? 0,
        waitP50: tally?.times.percentile(0.5) ?? 0,
        waitP99: tally?.times.percentile(0.99) ?? 0,
      };
    },
    forget(chain) {
      if (tallies.get(chain)?.waiting === 0) tallies.delete(chain);
    },
  };
}
