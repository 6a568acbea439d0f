/** Middle of the samples; the mean of the two middle ones where their number is even. */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) throw new RangeError('no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Lowest and highest value that the true median may have. */
export type Interval = readonly [low: number, high: number];

/** The least number of samples for which {@link medianInterval} can answer: below it even all of them hold too little. */
export const LEAST_SAMPLES = 5;

/**
 * The interval between two order statistics that holds the true median with at least 90 %, whatever the samples'
 * distribution: each sample lies below the median with probability 1/2, so the k-th from either end is outside it with
 * the tail of a binomial (Conover, Practical Nonparametric Statistics, 3.2). Wider than a bootstrap, and never too narrow.
 */
export function medianInterval(samples: readonly number[]): Interval {
  const count = samples.length;
  if (count < LEAST_SAMPLES) throw new RangeError(`${count} samples give no 90 % interval`);
  const sorted = [...samples].sort((a, b) => a - b);
  let tail = 0;
  let probability = 0.5 ** count;
  let cut = -1;
  for (let at = 0; at < count; at++) {
    tail += probability;
    if (2 * tail > 0.1) break;
    cut = at;
    probability = (probability * (count - at)) / (at + 1);
  }
  return [sorted[cut] as number, sorted[count - 1 - cut] as number];
}
