/** How long to wait before a process that ended is started anew. */
export interface BackOff {
  /** Milliseconds: 0 the first time, then {@link FIRST_MS}, doubling up to {@link MOST_MS}. */
  next(): number;
  /** It ran: begin anew when it ends after {@link SETTLED_MS} or more. */
  ran(ms: number): void;
}

const FIRST_MS = 100;
const MOST_MS = 5_000;
/** Who runs so long has not ended for a reason that its start brings; one a few seconds costs a machine little. */
const SETTLED_MS = 3_000;

export function createBackOff(): BackOff {
  let wait = 0;
  return {
    next() {
      const now = wait;
      wait = Math.min(MOST_MS, Math.max(FIRST_MS, wait * 2));
      return now;
    },
    ran(ms) {
      if (ms >= SETTLED_MS) wait = 0;
    },
  };
}
