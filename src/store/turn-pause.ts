import { Fault } from '../base/fault.ts';

/** The event loop gets its turn after this many milliseconds of work. */
const SLICE_MS = 4;

/**
 * For long work on the main thread: answers a promise to await when the slice is used up, else nothing.
 * @throws Fault `cancelled/cancelled` once `signal` is aborted
 */
export function createTurnPause(
  monotonic: () => number,
  signal?: AbortSignal,
): () => Promise<void> | undefined {
  let sliceEnd = monotonic() + SLICE_MS;
  return () => {
    if (signal?.aborted) throw new Fault('cancelled', 'cancelled', 'cancelled', { cause: signal.reason });
    if (monotonic() < sliceEnd) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        sliceEnd = monotonic() + SLICE_MS;
        resolve();
      });
    });
  };
}
