import { setTimeout as sleep } from 'node:timers/promises';
import { toFault } from '../../base/fault.ts';
import { createBackOff } from '../../keeper/back-off.ts';
import { connectKeeper, type KeeperClient } from '../../keeper/keeper-client.ts';
import { startKeeper } from '../../keeper/start-keeper.ts';
import type { Logger } from '../../observe/logger.ts';

/** The mount server's connection to the keeper: while it lives, each sees the other's end by it. */
export interface KeeperContact {
  /** FUSE is unmounted: tells the keeper, as far as one is there. */
  ended(): Promise<void>;
  close(): void;
}

export interface KeeperContactSettings {
  readonly root: string;
  readonly socket: string;
  /** The number of our descriptor of /dev/fuse. */
  readonly device: number;
}

/** A new keeper listens within a second. */
const POLL_MS = 50;
const START_MS = 5_000;
const TELL_MS = 2_000;

/** Says hello to the keeper, and starts a new one whenever it is gone. */
export function openKeeperContact(
  { logger }: { readonly logger: Logger },
  { root, socket, device }: KeeperContactSettings,
): KeeperContact {
  const backOff = createBackOff();
  let client: KeeperClient | undefined;
  let closed = false;

  async function connected(deadline: number): Promise<KeeperClient | undefined> {
    for (const until = performance.now() + deadline; !closed; await sleep(POLL_MS)) {
      try {
        return await connectKeeper(socket);
      } catch {
        if (performance.now() > until) return undefined;
      }
    }
    return undefined;
  }

  async function serve(): Promise<void> {
    // The first time the keeper that started us is there.
    for (let deadline = TELL_MS; !closed; deadline = START_MS) {
      client = await connected(deadline);
      const since = performance.now();
      try {
        await client?.ask({ ask: 'mount-server', pid: process.pid, device }, AbortSignal.timeout(START_MS));
        await client?.ended;
      } catch (error) {
        logger.warn({ error: toFault(error).message }, 'the keeper did not take us');
        client?.close();
      }
      if (closed) return;
      backOff.ran(performance.now() - since);
      await sleep(backOff.next());
      if (closed) return;
      logger.warn({}, 'the keeper is gone: a new one is started');
      startKeeper(root);
    }
  }

  void serve();
  return {
    async ended() {
      const teller = client ?? (await connected(TELL_MS));
      await teller?.ask({ ask: 'ended' }, AbortSignal.timeout(TELL_MS)).catch(() => {});
      closed = true;
    },
    close() {
      closed = true;
      client?.close();
    },
  };
}
