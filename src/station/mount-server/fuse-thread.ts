import { statfs } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { SessionEnd } from '../../fuse/session.ts';
import type { SessionTerms } from '../../fuse/session-terms.ts';
import type { LayerfsCommand, LayerfsEvent } from '../../layerfs/chain-messages.ts';
import type { Logger } from '../../observe/logger.ts';
import { createFuseDebug, type FuseDebug } from './fuse-debug.ts';
import {
  DRAIN,
  type FuseThreadData,
  type FuseThreadEvent,
  MESSAGES,
  SHARED_BYTES,
} from './fuse-thread-messages.ts';

/** A thread that answers does so within milliseconds, on a busy machine too. */
const WAKE_MS = 2_000;

/** The main thread's handle of the thread that answers the kernel. */
export interface FuseThread {
  /** It takes it before its next request; see {@link wake}. */
  command(command: LayerfsCommand): void;
  /**
   * Resolves when all that was commanded before has been taken, and what was counted and touched before has been told.
   * Does not hang with the thread: within {@link WAKE_MS} or so it resolves all the same.
   */
  wake(): Promise<void>;
  /** Lets it serve what it has in hand; {@link served} follows. */
  drain(): Promise<void>;
  /** Resolves when it reads no request any more: with why, or what it failed with. */
  readonly served: Promise<SessionEnd | { readonly failed: unknown }>;
}

export interface FuseThreadComponents {
  readonly onEvent: (event: LayerfsEvent) => void;
  readonly onTerms: (terms: SessionTerms) => void;
  readonly logger: Logger;
}

export interface FuseThreadSettings extends Omit<FuseThreadData, 'shared' | 'frames' | 'counters'> {
  /** Absent: nobody will look. */
  readonly debug?: Pick<FuseDebug, 'frames' | 'counters'>;
  /** Where FUSE is mounted. */
  readonly mountpoint: string;
  /** Known before the first request is read. */
  readonly first: readonly LayerfsCommand[];
}

export function startFuseThread(
  { onEvent, onTerms, logger }: FuseThreadComponents,
  { mountpoint, first, debug = createFuseDebug(), ...data }: FuseThreadSettings,
): FuseThread {
  const shared = new Int32Array(new SharedArrayBuffer(SHARED_BYTES));
  const served = Promise.withResolvers<SessionEnd | { readonly failed: unknown }>();
  const { frames, counters } = debug;
  const workerData: FuseThreadData = { ...data, frames, counters, shared: shared.buffer };
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const worker = new Worker(new URL(`./fuse-worker${extension}`, import.meta.url), {
    name: 'fuse',
    workerData,
    // layer indexes are outside V8's heap; what is on it lives as long as a request
    resourceLimits: { maxYoungGenerationSizeMb: 3 },
  });

  function command(message: LayerfsCommand): void {
    worker.postMessage(message);
    Atomics.add(shared, MESSAGES, 1);
  }

  /**
   * A request that the kernel always passes on, and that is answered without any data. One at a time: those of a thread that
   * hangs must not take all of libuv's threads. Whoever comes while one is under way gets the next one.
   */
  let poking: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  function poke(): Promise<void> {
    if (poking === undefined) {
      poking = statfs(mountpoint).then(() => {});
      const over = (): void => {
        poking = undefined;
      };
      poking.then(over, over);
      return poking;
    }
    next ??= poking
      .catch(() => {})
      .then(() => {
        next = undefined;
        return poke();
      });
    return next;
  }

  const reported = new Map<number, () => void>();
  let reports = 0;
  async function wake(): Promise<void> {
    const number = ++reports;
    const told = Promise.withResolvers<void>();
    reported.set(number, told.resolve);
    command({ do: 'report', number });
    const late = setTimeout(told.resolve, WAKE_MS);
    try {
      // Its answer and the message come by two ways: what is asked for is the message.
      await Promise.all([Promise.race([poke(), told.promise]), Promise.race([told.promise, served.promise])]);
    } finally {
      clearTimeout(late);
      reported.delete(number);
    }
  }

  worker.on('message', (event: FuseThreadEvent) => {
    if (event.tell === 'log') logger[event.level](event.fields, event.message);
    else if (event.tell === 'terms') onTerms(event.terms);
    else if (event.tell === 'served') served.resolve(event.end);
    else if (event.tell === 'reported') reported.get(event.number)?.();
    else onEvent(event);
  });
  worker.on('error', (error) => served.resolve({ failed: error }));
  worker.on('exit', (code) => served.resolve({ failed: `exit code ${code}` }));
  for (const message of first) command(message);
  return {
    command,
    wake,
    async drain() {
      Atomics.store(shared, DRAIN, 1);
      await poke();
    },
    served: served.promise,
  };
}
