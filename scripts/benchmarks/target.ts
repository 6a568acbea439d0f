import type { Interval } from './statistics.ts';

/** What a figure must be: at most, or at least, a value in the figure's own unit or as a ratio. */
export type Target =
  | { readonly atMost: number; readonly atLeast?: never }
  | { readonly atLeast: number; readonly atMost?: never };

/** `undecided`: the interval holds the target, so more samples could turn it. */
export type Verdict = 'met' | 'missed' | 'undecided';

export function judge([low, high]: Interval, target: Target): Verdict {
  const bound = target.atMost ?? target.atLeast;
  if (low <= bound && bound <= high && low !== high) {
    // An end that lies on an inclusive bound is on its good side.
    if (target.atMost !== undefined ? high === bound : low === bound) return 'met';
    return 'undecided';
  }
  const good = target.atMost !== undefined ? high <= bound : low >= bound;
  return good ? 'met' : 'missed';
}

export function targetText(target: Target): string {
  return target.atMost !== undefined ? `<= ${target.atMost}` : `>= ${target.atLeast}`;
}
