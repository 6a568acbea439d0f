import type { Clock } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import { MAX_SAID_PATH, type WantMessage } from './link-messages.ts';
import { createWaitTallies, type WaitStatistics, type WaitTallies } from './wait-tallies.ts';

export type { WaitStatistics } from './wait-tallies.ts';

/** What a reader waits for: a {@link WantMessage} that has no number yet. */
export type WantedRange = Omit<WantMessage, 'want'>;

/** Who is asked: the station's connection. */
export interface WantSink {
  want(message: WantMessage): void;
  cancel(want: number): void;
}

export interface WantsSettings {
  /** ms without a station after which a want fails. */
  readonly wait: number;
  /** Readers that may wait at a time. */
  readonly maxWaiting?: number;
}

/** The readers that wait for content, each want asked once. */
export interface Wants {
  want(range: WantedRange, signal: AbortSignal): Promise<{ readonly complete: boolean }>;
  /** A number that is not outstanding is left alone: its readers may be gone. */
  have(want: number, complete: boolean): void;
  lost(want: number, fault: Fault): void;
  /** A station came (all that is outstanding is asked of it) or went (undefined). */
  station(sink: WantSink | undefined): void;
  statistics(chain: string): WaitStatistics;
  /** Its figures go; what is outstanding stays. */
  forget(chain: string): void;
  /** All that wait fail with it, and all that come. */
  close(fault: Fault): void;
}

/** Waiting requests of all mounts together: past it a reader gets an error instead of memory. */
const MAX_WAITING = 4096;

interface Reader {
  readonly resolve: (answer: { readonly complete: boolean }) => void;
  readonly reject: (fault: Fault) => void;
  readonly since: number;
}

interface Outstanding {
  readonly message: WantMessage;
  readonly key: string;
  readonly readers: Set<Reader>;
  /** Monotonic ms since which no station was there to be asked. */
  aloneSince: number;
}

export function createWants(
  { clock }: { readonly clock: Clock },
  { wait, maxWaiting = MAX_WAITING }: WantsSettings,
): Wants {
  // In the order in which they were asked, which is the order in which they are asked again.
  const byNumber = new Map<number, Outstanding>();
  const byKey = new Map<string, Outstanding>();
  const tallies = createWaitTallies();
  let readers = 0;
  let lastNumber = 0;
  let sink: WantSink | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed: Fault | undefined;

  function outstandingOf(range: WantedRange): Outstanding {
    const ahead = range.ahead === true;
    // A reader asks for itself, also what is fetched ahead: it comes sooner then.
    const key = `${range.chain} ${range.layer} ${range.object} ${range.first} ${range.end} ${ahead}`;
    const known = byKey.get(key);
    if (known !== undefined) return known;
    lastNumber++;
    const message: WantMessage = {
      want: lastNumber,
      chain: range.chain,
      layer: range.layer,
      object: range.object,
      first: range.first,
      end: range.end,
      path: range.path.slice(0, MAX_SAID_PATH),
      ...(ahead && { ahead }),
    };
    const outstanding = { message, key, readers: new Set<Reader>(), aloneSince: clock.monotonic() };
    byNumber.set(lastNumber, outstanding);
    byKey.set(key, outstanding);
    if (sink === undefined) schedule();
    else sink.want(message);
    return outstanding;
  }

  function leave(outstanding: Outstanding, reader: Reader, how: Parameters<WaitTallies['left']>[1]): void {
    outstanding.readers.delete(reader);
    readers--;
    if (outstanding.message.ahead !== true) tallies.left(outstanding.message.chain, how);
  }

  function drop(outstanding: Outstanding): void {
    byNumber.delete(outstanding.message.want);
    byKey.delete(outstanding.key);
  }

  function answer(outstanding: Outstanding, outcome: { readonly complete: boolean } | Fault): void {
    drop(outstanding);
    const now = clock.monotonic();
    for (const reader of [...outstanding.readers]) {
      if (outcome instanceof Fault) {
        leave(outstanding, reader, 'failed');
        reader.reject(outcome);
      } else {
        leave(outstanding, reader, { answeredAfter: now - reader.since });
        reader.resolve(outcome);
      }
    }
  }

  /** One timer for all: it looks again when the one that waits longest is due. */
  function schedule(): void {
    if (timer !== undefined || sink !== undefined || byNumber.size === 0) return;
    let oldest = Number.POSITIVE_INFINITY;
    for (const { aloneSince } of byNumber.values()) oldest = Math.min(oldest, aloneSince);
    timer = setTimeout(expire, Math.max(1, oldest + wait - clock.monotonic()));
  }

  function expire(): void {
    timer = undefined;
    const due = clock.monotonic() - wait;
    for (const outstanding of [...byNumber.values()]) {
      if (outstanding.aloneSince <= due) answer(outstanding, noStation(outstanding.message, wait));
    }
    schedule();
  }

  function stopTimer(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  return {
    async want(range, signal) {
      if (closed !== undefined) throw closed;
      if (signal.aborted) throw interrupted();
      if (readers >= maxWaiting) throw tooMany(range, maxWaiting);
      const { promise, resolve, reject } = Promise.withResolvers<{ readonly complete: boolean }>();
      const reader: Reader = { resolve, reject, since: clock.monotonic() };
      readers++;
      if (range.ahead !== true) tallies.began(range.chain);
      const outstanding = outstandingOf(range);
      outstanding.readers.add(reader);
      const onAbort = (): void => {
        if (!outstanding.readers.has(reader)) return;
        leave(outstanding, reader, 'interrupted');
        reject(interrupted());
        if (outstanding.readers.size > 0) return;
        drop(outstanding);
        sink?.cancel(outstanding.message.want);
      };
      signal.addEventListener('abort', onAbort);
      try {
        return await promise;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    have(want, complete) {
      const outstanding = byNumber.get(want);
      if (outstanding !== undefined) answer(outstanding, { complete });
    },
    lost(want, fault) {
      const outstanding = byNumber.get(want);
      if (outstanding !== undefined) answer(outstanding, fault);
    },
    station(next) {
      sink = next;
      stopTimer();
      const now = clock.monotonic();
      for (const outstanding of byNumber.values()) {
        outstanding.aloneSince = now;
        next?.want(outstanding.message);
      }
      schedule();
    },
    statistics: tallies.statistics,
    forget: tallies.forget,
    close(fault) {
      closed = fault;
      stopTimer();
      for (const outstanding of [...byNumber.values()]) answer(outstanding, fault);
    },
  };
}

function noStation({ chain, path, layer, object, first, end }: WantMessage, wait: number): Fault {
  return new Fault(
    'unavailable',
    'no-station',
    `${path} is not all here, and no station ran for ${wait / 1000} s that could fetch it: start it (dkr-shp start)`,
    { fields: { chain, path, layer, object, first, end, wait } },
  );
}

function interrupted(): Fault {
  return new Fault('cancelled', 'cancelled', 'the reader was interrupted');
}

function tooMany({ chain, path }: WantedRange, maxWaiting: number): Fault {
  return new Fault(
    'unavailable',
    'too-many-waiting',
    `${maxWaiting} reads wait for peers already; ${path} was refused`,
    { fields: { chain, path, maxWaiting } },
  );
}
