import type { LeafRange } from '../../image/profile/start-up-profile.ts';

/** Writes down what mounts use first, for a time after each began. */
export interface ProfileRecorder {
  /** A mount begins; one that is recorded already goes on. */
  begin(key: string): void;
  touched(key: string, ranges: readonly (readonly [number, number, number, number])[]): void;
  recording(key: string): boolean;
  /** The mount ended: what was used so far is the run. */
  end(key: string): void;
  stop(): void;
}

interface Run {
  readonly ranges: LeafRange[];
  readonly timer: NodeJS.Timeout;
}

/** The mount server tells once a second what was used: what is of the window comes this late at most. */
const TOLD_LATE_MS = 1500;

/** Ranges of one run that are remembered: more than a profile holds, since neighbours become one. */
const MAX_RANGES = 65_536;

/**
 * @param windowMs how long after the begin of a mount uses count
 * @param onRun told of a run that is over; a run of nothing is none
 */
export function createProfileRecorder(
  windowMs: number,
  onRun: (key: string, ranges: readonly LeafRange[]) => void,
): ProfileRecorder {
  const runs = new Map<string, Run>();

  const end = (key: string): void => {
    const run = runs.get(key);
    if (run === undefined) return;
    runs.delete(key);
    clearTimeout(run.timer);
    onRun(key, run.ranges);
  };

  return {
    begin(key) {
      if (runs.has(key)) return;
      const timer = setTimeout(() => end(key), windowMs + TOLD_LATE_MS);
      timer.unref();
      runs.set(key, { ranges: [], timer });
    },
    touched(key, ranges) {
      const run = runs.get(key);
      if (run === undefined) return;
      for (const [layer, object, first, last] of ranges) {
        if (run.ranges.length >= MAX_RANGES) return;
        run.ranges.push({ layer, object, first, end: last });
      }
    },
    recording: (key) => runs.has(key),
    end,
    stop() {
      for (const key of [...runs.keys()]) end(key);
    },
  };
}
