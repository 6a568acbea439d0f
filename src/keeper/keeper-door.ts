import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { toFaultRecord } from '../base/fault.ts';
import { createJsonLineConnection } from '../base/json-line-connection.ts';
import type { Logger } from '../observe/logger.ts';
import type { KeeperAnswer, KeeperRequest } from './keeper-messages.ts';

/** One connection to the keeper. */
export interface KeeperPeer {
  /** What it said it is, if it did. */
  role?: { readonly who: 'station' | 'mount-server'; readonly pid: number };
}

export interface KeeperHandler {
  /** A thrown Fault is the answer. */
  request(request: KeeperRequest, peer: KeeperPeer): Promise<unknown> | unknown;
  /** The connection has ended. */
  gone(peer: KeeperPeer): void;
}

export interface KeeperDoor {
  /** Ends listening and all connections, what was answered is delivered. */
  close(): Promise<void>;
}

/** A station, a mount server and a few questions at a time. */
const MAX_CONNECTIONS = 64;

/** Listens at `path`; what lies there is a dead keeper's, since the caller holds the lock. */
export async function openKeeperDoor(
  path: string,
  handler: KeeperHandler,
  logger: Logger,
): Promise<KeeperDoor> {
  const open = new Set<{ close(): void }>();

  function serve(socket: Socket): void {
    const peer: KeeperPeer = {};
    async function answer(request: KeeperRequest): Promise<KeeperAnswer> {
      try {
        return { id: request.id, done: (await handler.request(request, peer)) ?? null };
      } catch (error) {
        return { id: request.id, fault: toFaultRecord(error) };
      }
    }
    const connection = createJsonLineConnection(socket, (message) => {
      void answer(message as KeeperRequest).then((said) => connection.send(said));
    });
    open.add(connection);
    connection.ended.then((error) => {
      open.delete(connection);
      if (error !== undefined)
        logger.warn({ role: peer.role, error: String(error) }, 'a connection was ended');
      handler.gone(peer);
    });
  }

  rmSync(path, { force: true });
  const server = createServer(serve);
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // 0600 from its first moment on; the folder is 0700 as well
    const before = process.umask(0o177);
    server.listen(path, resolve);
    process.umask(before);
  });
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of open) connection.close();
      await closed;
    },
  };
}
