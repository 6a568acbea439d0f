import type { TouchedRange } from './chain-messages.ts';

/** First uses of content in the order in which they came, for the start-up profile. */
export interface TouchRecorder {
  /** Leaves `[first, end)` of an object of `leaves`; those seen before are not told again. */
  touch(chain: string, layer: number, object: number, first: number, end: number, leaves: number): void;
  /** Hands over what came since, where it is time. */
  poll(): void;
  /** Hands it over now. */
  flush(): void;
  /** A recording ended: what came is handed over, what was seen is forgotten. */
  end(chain: string): void;
}

export interface TouchRecorderComponents {
  readonly onTouched: (chain: string, ranges: readonly TouchedRange[]) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

const FLUSH_MS = 250;
/** Ranges handed over at once; more go in the next one. */
const BATCH = 2000;
/** Objects of a chain that are remembered; a start touches a few thousand. Beyond it nothing is recorded. */
const MAX_OBJECTS = 100_000;
/** Bytes of marks a chain, for objects of several leaves: 32 GiB of content. */
const MAX_MARKS = 16 * 1024;

interface Recording {
  /** By object: every leaf, or a bit a leaf. */
  readonly seen: Map<number, true | Uint8Array>;
  marks: number;
  ranges: TouchedRange[];
}

export function createTouchRecorder({ onTouched, now }: TouchRecorderComponents): TouchRecorder {
  const recordings = new Map<string, Recording>();
  let due = Number.NEGATIVE_INFINITY;
  let waiting = 0;

  const handOver = (chain: string, recording: Recording): void => {
    for (let at = 0; at < recording.ranges.length; at += BATCH) {
      onTouched(chain, recording.ranges.slice(at, at + BATCH));
    }
    waiting -= recording.ranges.length;
    recording.ranges = [];
  };

  return {
    touch(chain, layer, object, first, end, leaves) {
      let recording = recordings.get(chain);
      if (recording === undefined) {
        recording = { seen: new Map(), marks: 0, ranges: [] };
        recordings.set(chain, recording);
      }
      const fresh = note(recording, layer * 2 ** 32 + object, first, end, leaves);
      for (const [from, to] of fresh) recording.ranges.push([layer, object, from, to]);
      waiting += fresh.length;
    },
    poll() {
      if (waiting === 0) return;
      const at = now();
      if (at < due) return;
      due = at + FLUSH_MS;
      this.flush();
    },
    flush() {
      for (const [chain, recording] of recordings) handOver(chain, recording);
    },
    end(chain) {
      const recording = recordings.get(chain);
      if (recording === undefined) return;
      handOver(chain, recording);
      recordings.delete(chain);
    },
  };
}

type Ranges = readonly (readonly [number, number])[];
const NOTHING: Ranges = [];

function note(recording: Recording, key: number, first: number, end: number, leaves: number): Ranges {
  const seen = recording.seen.get(key);
  if (seen === true) return NOTHING;
  if (seen === undefined && recording.seen.size >= MAX_OBJECTS) return NOTHING;
  if (first === 0 && end === leaves && seen === undefined) {
    recording.seen.set(key, true);
    return [[0, leaves]];
  }
  let marks = seen;
  if (marks === undefined) {
    const length = Math.ceil(leaves / 8);
    if (recording.marks + length > MAX_MARKS) return NOTHING;
    recording.marks += length;
    marks = new Uint8Array(length);
    recording.seen.set(key, marks);
  }
  const fresh: [number, number][] = [];
  for (let leaf = first; leaf < end; leaf++) {
    const bit = 1 << (leaf & 7);
    const byte = marks[leaf >> 3] as number;
    if ((byte & bit) !== 0) continue;
    marks[leaf >> 3] = byte | bit;
    const last = fresh.at(-1);
    if (last !== undefined && last[1] === leaf) last[1] = leaf + 1;
    else fresh.push([leaf, leaf + 1]);
  }
  return fresh;
}
