import type { FaultKind } from '../base/fault.ts';

/** What the process ends with, by kind of fault; the help text and README list the same table. */
export const EXIT_CODES: Readonly<Record<FaultKind, number>> = {
  internal: 1,
  invalid: 2,
  'not-found': 3,
  unavailable: 4,
  denied: 5,
  busy: 6,
  corrupt: 7,
  exists: 8,
  unsupported: 9,
  // 128 + SIGINT, what shells show for a command that Ctrl-C ended.
  cancelled: 130,
};

/** What each code means, for `dkr-shp help`. */
export const EXIT_CODE_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done'],
  [1, 'a defect of shp'],
  [2, 'wrong usage, or something given is not valid'],
  [3, 'not found'],
  [4, 'not available now: no station runs, no peer answers, disk full'],
  [5, 'not permitted'],
  [6, 'in use by something else'],
  [7, 'corrupt data'],
  [8, 'there already'],
  [9, 'not supported here'],
  [130, 'ended by Ctrl-C'],
];
