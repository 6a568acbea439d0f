import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, toFault } from '../../base/fault.ts';
import { VERSION } from '../../config/version.ts';
import { connectLink, type LinkClient, type WantHandler } from '../../mounts/link/link-client.ts';
import type { Logger } from '../../observe/logger.ts';

/** The station's connection to the mount server, made again whenever it ends. */
export interface LinkHold {
  /** Connects from now on. */
  open(): void;
  readonly isOpen: boolean;
  /** The mount server, waited for. @throws Fault `unavailable/no-mount-server` */
  client(signal: AbortSignal): Promise<LinkClient>;
  /** Asks something that may be asked twice: again, where the mount server was replaced before it answered. */
  call<T>(work: (client: LinkClient) => Promise<T>, signal: AbortSignal): Promise<T>;
  close(): void;
}

export interface LinkHoldComponents {
  readonly handler: WantHandler;
  readonly logger: Logger;
  /** With each new connection, before anybody else gets it. */
  readonly onConnected: (client: LinkClient) => Promise<void>;
}

/** A new mount server listens after some 200 ms; readers wait meanwhile. */
const POLL_MS = 5;
const SLOW_POLL_MS = 500;
/** After so many attempts nothing is hurrying. */
const QUICK_POLLS = 1000;
const CLIENT_MS = 10_000;
const HELLO_MS = 5_000;
const RETRIES = 3;

export function createLinkHold(
  { handler, logger, onConnected }: LinkHoldComponents,
  { path }: { readonly path: string },
): LinkHold {
  let closing: AbortController | undefined;
  let current = Promise.withResolvers<LinkClient>();

  async function connect(signal: AbortSignal): Promise<LinkClient | undefined> {
    let client: LinkClient | undefined;
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(HELLO_MS)]);
      client = await connectLink({ handler, logger }, { path, version: VERSION }, limit);
      await onConnected(client);
      return client;
    } catch (error) {
      client?.close();
      const { code, message } = toFault(error);
      if (code !== 'no-mount-server' && !signal.aborted) {
        logger.warn({ error: message }, 'the mount server could not be reached');
      }
      return undefined;
    }
  }

  async function hold(signal: AbortSignal): Promise<void> {
    for (let failed = 0; !signal.aborted; ) {
      const client = await connect(signal);
      if (client === undefined) {
        failed++;
        await sleep(failed < QUICK_POLLS ? POLL_MS : SLOW_POLL_MS, undefined, { signal }).catch(() => {});
        continue;
      }
      failed = 0;
      const closeIt = (): void => client.close();
      signal.addEventListener('abort', closeIt, { once: true });
      current.resolve(client);
      await client.ended;
      signal.removeEventListener('abort', closeIt);
      current = Promise.withResolvers<LinkClient>();
    }
  }

  async function clientNow(signal: AbortSignal): Promise<LinkClient> {
    const late = AbortSignal.timeout(CLIENT_MS);
    const either = AbortSignal.any([signal, late]);
    const stopped = Promise.withResolvers<never>();
    const stop = (): void => stopped.reject(late.aborted ? noMountServer(path) : signal.reason);
    if (either.aborted) stop();
    either.addEventListener('abort', stop, { once: true });
    try {
      return await Promise.race([current.promise, stopped.promise]);
    } finally {
      either.removeEventListener('abort', stop);
    }
  }

  return {
    open() {
      if (closing !== undefined) return;
      closing = new AbortController();
      void hold(closing.signal);
    },
    get isOpen() {
      return closing !== undefined;
    },
    client: clientNow,
    async call(work, signal) {
      for (let left = RETRIES; ; left--) {
        const client = await clientNow(signal);
        try {
          return await work(client);
        } catch (error) {
          if (left === 0 || toFault(error).code !== 'link-closed') throw error;
          await client.ended;
        }
      }
    },
    close() {
      closing?.abort();
      closing = undefined;
    },
  };
}

function noMountServer(path: string): Fault {
  return new Fault('unavailable', 'no-mount-server', `no mount server answers at ${path}`, {
    fields: { path },
  });
}
