import { keepFrames, makeFrameRing, traceFrames } from '../../fuse/frame-ring.ts';
import { OPCODE_LIMIT, operationOf } from '../../fuse/wire/operations.ts';
import type { FuseFrames } from '../../mounts/link/link-messages.ts';

/**
 * What the kernel asks, for whoever looks for a mistake. Requests are counted always, which costs a nanosecond. The frames
 * themselves are kept only from the first look on, and until nobody looked for {@link KEEP_MS}: a copy of each costs 0.1 to
 * 0.6 us, up to a twentieth of a request, which every look-up of the machine would pay for a question that is asked once a
 * year.
 */
export interface FuseDebug {
  /** Counts of requests by opcode, u32 each; written by the FUSE thread. */
  readonly counters: SharedArrayBuffer;
  /** Memory of frame-ring.ts, for all channels to the device. */
  readonly frames: SharedArrayBuffer;
  look(): FuseFrames;
}

const KEEP_MS = 5 * 60_000;

export function createFuseDebug(): FuseDebug {
  const counters = new SharedArrayBuffer(OPCODE_LIMIT * Uint32Array.BYTES_PER_ELEMENT);
  const frames = makeFrameRing();
  let off: NodeJS.Timeout | undefined;
  return {
    counters,
    frames,
    look() {
      const kept = off !== undefined;
      // Before they are kept: the next one may come at once.
      const trace = traceFrames(frames);
      clearTimeout(off);
      off = setTimeout(() => {
        off = undefined;
        keepFrames(frames, false);
      }, KEEP_MS);
      off.unref();
      keepFrames(frames, true);
      return { operations: operationCounts(new Uint32Array(counters)), kept, trace };
    },
  };
}

function operationCounts(counters: Uint32Array): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [opcode, count] of counters.entries()) {
    if (count > 0) counts[operationOf(opcode)?.name ?? 'unknown'] = count;
  }
  return counts;
}
