/**
 * Birth numbers of everything stored: ascending over the whole life of a store. The high part counts openings, so
 * nothing needs writing per number, and what one run of the station stored is one range.
 */
export const OPENING_SPAN = 2 ** 32;

export interface Sequence {
  /** The number that the next birth gets: all that was stored so far is below it. */
  readonly next: number;
  take(): number;
}

/** @param opening how often the store was opened before, below 2^21 */
export function createSequence(opening: number): Sequence {
  let next = opening * OPENING_SPAN;
  return {
    get next() {
      return next;
    },
    take: () => next++,
  };
}

/** The first number behind the run in which `sequence` was taken. */
export function endOfRun(sequence: number): number {
  return (Math.floor(sequence / OPENING_SPAN) + 1) * OPENING_SPAN;
}
