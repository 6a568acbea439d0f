/**
 * How one reader goes through an object, in leaves: tells what to fetch before it is asked for. Who reads on gets 1, 2,
 * 4 and so on up to {@link MAX_AHEAD} leaves ahead; who jumps gets what he needs and no more. The kernel reads in pieces
 * smaller than a leaf and some of them out of order, so only a step to another leaf tells anything.
 */
export interface ReadPattern {
  /** The leaves of the last read: `[first, end)`. */
  first: number;
  end: number;
  /** Leaves to have ahead now; 0: no order seen. */
  ahead: number;
  /** What {@link noteRead} told to want last: `[from, wanted)`; all before `wanted` was asked for while the order holds. */
  from: number;
  wanted: number;
}

/** 4 MiB: at 1 Gbit/s 35 ms of the line, more than a round trip. */
export const MAX_AHEAD = 16;

/** Leaves by which a read may come late: the kernel sends those of its own readahead, up to 1 MiB each, side by side. */
const OUT_OF_ORDER = 4;

export function newReadPattern(): ReadPattern {
  return { first: 0, end: 0, ahead: 0, from: 0, wanted: 0 };
}

/**
 * Takes the leaves of a read, `[first, end)`, of an object of `leaves`.
 * @returns whether to want the leaves `[pattern.from, pattern.wanted)` ahead
 */
export function noteRead(pattern: ReadPattern, first: number, end: number, leaves: number): boolean {
  if (end <= pattern.end && first + OUT_OF_ORDER >= pattern.first) return false;
  if (first < pattern.first || first > pattern.end) {
    pattern.first = first;
    pattern.end = end;
    pattern.ahead = 0;
    pattern.wanted = end;
    return false;
  }
  // The first read of a file says nothing yet: many programs look at a head only.
  pattern.ahead = pattern.end === 0 ? 0 : Math.min(MAX_AHEAD, Math.max(1, pattern.ahead * 2));
  pattern.first = first;
  pattern.end = end;
  pattern.from = Math.max(end, pattern.wanted);
  pattern.wanted = pattern.from;
  // Asked for by halves: a want a leaf would be as many messages as leaves.
  if (pattern.ahead === 0 || pattern.from - end > pattern.ahead / 2) return false;
  pattern.wanted = Math.max(pattern.from, Math.min(leaves, end + pattern.ahead));
  return pattern.wanted > pattern.from;
}
