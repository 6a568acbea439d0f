/** The last waits that were measured: how long readers wait now, not how long they waited on the day of the start. */
const KEPT = 512;

/** How long something took, over its last 512 times. Milliseconds. */
export interface WaitTimes {
  add(duration: number): void;
  /** @param share 0.5 for the median; 0 where nothing was measured yet. Nearest rank: a value that was measured */
  percentile(share: number): number;
}

export function createWaitTimes(): WaitTimes {
  const times = new Float64Array(KEPT);
  let added = 0;
  return {
    add(duration) {
      times[added % KEPT] = duration;
      added++;
    },
    percentile(share) {
      const sorted = times.slice(0, Math.min(added, KEPT)).sort();
      const rank = Math.max(1, Math.ceil(share * sorted.length));
      return sorted[rank - 1] ?? 0;
    },
  };
}
