import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';

/** Whether reads of an image wait for content, and since when none does. */
export interface ReadQuiet {
  /** A read waits. Answers what is to be called when it does not any more. */
  wait(): () => void;
  /** Something happened behind which reads may follow: a mount. */
  touch(): void;
  /** Resolves when no read has waited for `ms`, at the latest after `atMostMs`, and on abort. */
  over(ms: number, atMostMs: number, signal: AbortSignal): Promise<void>;
}

export function createReadQuiet(clock: Clock): ReadQuiet {
  let waiting = 0;
  let since = clock.monotonic();

  return {
    wait() {
      waiting++;
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        waiting--;
        since = clock.monotonic();
      };
    },
    touch() {
      since = clock.monotonic();
    },
    async over(ms, atMostMs, signal) {
      for (const end = clock.monotonic() + atMostMs; !signal.aborted; ) {
        const now = clock.monotonic();
        const left = Math.min(end - now, waiting > 0 ? ms : since + ms - now);
        if (left <= 0) return;
        await sleep(left, undefined, { signal, ref: false }).catch(() => {});
      }
    },
  };
}
