import { statfs } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { SessionEnd } from '../../fuse/session.ts';
import type { SessionTerms } from '../../fuse/session-terms.ts';
import type { LayerfsCommand, LayerfsEvent } from '../../layerfs/chain-messages.ts';
import type { Logger } from '../../observe/logger.ts';
import {
  DRAIN,
  type FuseThreadData,
  type FuseThreadEvent,
  MESSAGES,
  SHARED_BYTES,
} from './fuse-thread-messages.ts';

/** The main thread's handle of the thread that answers the kernel. */
export interface FuseThread {
  /** It takes it before its next request; see {@link wake}. */
  command(command: LayerfsCommand): void;
  /** Resolves when all that was commanded before has been taken. */
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

export interface FuseThreadSettings extends Omit<FuseThreadData, 'shared'> {
  /** Where FUSE is mounted. */
  readonly mountpoint: string;
  /** Known before the first request is read. */
  readonly first: readonly LayerfsCommand[];
}

export function startFuseThread(
  { onEvent, onTerms, logger }: FuseThreadComponents,
  { mountpoint, first, ...data }: FuseThreadSettings,
): FuseThread {
  const shared = new Int32Array(new SharedArrayBuffer(SHARED_BYTES));
  const served = Promise.withResolvers<SessionEnd | { readonly failed: unknown }>();
  const workerData: FuseThreadData = { ...data, shared: shared.buffer };
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const worker = new Worker(new URL(`./fuse-worker${extension}`, import.meta.url), {
    name: 'fuse',
    workerData,
    // layer indexes are outside V8's heap; what is on it lives as long as a request
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });

  function command(message: LayerfsCommand): void {
    worker.postMessage(message);
    Atomics.add(shared, MESSAGES, 1);
  }

  /** A request that the kernel always passes on, and that is answered without any data. */
  const poke = async (): Promise<void> => {
    await statfs(mountpoint);
  };

  worker.on('message', (event: FuseThreadEvent) => {
    if (event.tell === 'log') logger[event.level](event.fields, event.message);
    else if (event.tell === 'terms') onTerms(event.terms);
    else if (event.tell === 'served') served.resolve(event.end);
    else onEvent(event);
  });
  worker.on('error', (error) => served.resolve({ failed: error }));
  worker.on('exit', (code) => served.resolve({ failed: `exit code ${code}` }));
  for (const message of first) command(message);
  return {
    command,
    wake: poke,
    async drain() {
      Atomics.store(shared, DRAIN, 1);
      await poke();
    },
    served: served.promise,
  };
}
