import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, toFault } from '../../base/fault.ts';
import { connectKeeper, type KeeperClient } from '../../keeper/keeper-client.ts';
import type { KeeperAsk, SpawnSpec } from '../../keeper/keeper-messages.ts';
import { startKeeper } from '../../keeper/start-keeper.ts';
import type { Logger } from '../../observe/logger.ts';

/** The station's connection to the keeper, which sees the station's end by it. */
export interface KeeperHold {
  /** Whether a keeper answers; connects, starts none. */
  find(): Promise<boolean>;
  /**
   * A keeper, started where there is none, that has FUSE mounted and a mount server running.
   * @throws Fault `unavailable/keeper-does-not-start`, those of the keeper
   */
  ensure(signal: AbortSignal): Promise<void>;
  /** @throws Fault `unavailable/no-keeper`, those of the keeper */
  ask(request: KeeperAsk, signal: AbortSignal): Promise<unknown>;
  /** Ends the connection, a goodbye said first. */
  close(): Promise<void>;
}

export interface KeeperHoldSettings {
  readonly root: string;
  readonly socket: string;
  readonly respawn?: SpawnSpec;
}

/** An attempt takes a fifth of a millisecond; the first mount waits for it. */
const POLL_MS = 5;
/** A keeper listens within a second, on a busy machine too. */
const START_MS = 15_000;
/** A keeper that ended is followed by one that the mount server starts; it is looked for so long. */
const FOLLOW_MS = 10_000;
const GOODBYE_MS = 2_000;
/** The keeper itself says sooner what keeps it from serving. */
const SERVE_MS = 30_000;
const RETRIES = 3;

export function createKeeperHold(
  { logger }: { readonly logger: Logger },
  { root, socket, respawn }: KeeperHoldSettings,
): KeeperHold {
  const closing = new AbortController();
  let client: KeeperClient | undefined;
  let connecting: Promise<boolean> | undefined;

  async function connect(): Promise<boolean> {
    if (client !== undefined) return true;
    let found: KeeperClient;
    try {
      found = await connectKeeper(socket);
    } catch {
      return false;
    }
    try {
      const hello = {
        ask: 'station',
        pid: process.pid,
        ...(respawn === undefined ? {} : { respawn }),
      } as const;
      await found.ask(hello, AbortSignal.any([closing.signal, AbortSignal.timeout(START_MS)]));
    } catch (error) {
      logger.warn({ error: toFault(error).message }, 'the keeper did not take us');
      found.close();
      return false;
    }
    client = found;
    void found.ended.then(() => {
      client = undefined;
      void follow();
    });
    return true;
  }

  /** One attempt at a time. */
  function find(): Promise<boolean> {
    connecting ??= connect().finally(() => {
      connecting = undefined;
    });
    return connecting;
  }

  /** The next keeper is told who we are, so that it watches us. */
  async function follow(): Promise<void> {
    for (const until = performance.now() + FOLLOW_MS; performance.now() < until; await sleep(POLL_MS)) {
      if (closing.signal.aborted || (await find())) return;
    }
  }

  async function started(signal: AbortSignal): Promise<void> {
    if (await find()) return;
    startKeeper(root);
    for (const until = performance.now() + START_MS; !(await find()); ) {
      if (performance.now() > until) throw doesNotStart(root);
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  return {
    find,
    async ensure(signal) {
      for (let left = RETRIES; ; left--) {
        await started(signal);
        try {
          await client?.ask({ ask: 'ensure' }, AbortSignal.any([signal, AbortSignal.timeout(SERVE_MS)]));
          if (client !== undefined) return;
        } catch (error) {
          // It was just ending when we asked it.
          if (left === 0 || toFault(error).code !== 'keeper-gone') throw error;
        }
      }
    },
    async ask(request, signal) {
      if (client === undefined) throw new Fault('unavailable', 'no-keeper', 'no keeper runs');
      return client.ask(request, signal);
    },
    async close() {
      closing.abort();
      await client?.ask({ ask: 'goodbye' }, AbortSignal.timeout(GOODBYE_MS)).catch(() => {});
      client?.close();
    },
  };
}

function doesNotStart(root: string): Fault {
  return new Fault(
    'unavailable',
    'keeper-does-not-start',
    `the keeper does not start: see ${root}/keeper.log`,
    { fields: { root } },
  );
}
