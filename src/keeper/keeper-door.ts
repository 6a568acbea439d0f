import type { Socket } from 'node:net';
import { toFaultRecord } from '../base/fault.ts';
import { createJsonLineConnection } from '../base/json-line-connection.ts';
import {
  checkShape,
  count,
  flag,
  isRecord,
  list,
  optional,
  record,
  type Shape,
  text,
  word,
} from '../base/json-shape.ts';
import { listenUnix } from '../base/unix-listener.ts';
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

const spawnSpec = record({
  command: text(4096),
  args: list(text(65_536), 1024),
  env: (value, place) => (isRecord(value) && Object.values(value).every(isText) ? undefined : place),
});
const isText = (value: unknown): boolean => typeof value === 'string';

/** A station, a mount server and a few questions at a time. */
const MAX_CONNECTIONS = 64;

const PROCESS = count(2 ** 31);
/** What stands beside `id` and `ask`; a request of another shape ends the connection. */
const SHAPES: Readonly<Record<KeeperRequest['ask'], Shape>> = {
  station: record({ pid: PROCESS, respawn: optional(spawnSpec) }),
  'mount-server': record({ pid: PROCESS, device: PROCESS }),
  ensure: record({}),
  status: record({}),
  goodbye: record({}),
  'replace-mount-server': record({}),
  'replace-keeper': record({}),
  end: record({ force: flag }),
  ended: record({}),
};

/** Listens at `path`; what lies there is a dead keeper's, since the caller holds the lock. */
export async function openKeeperDoor(
  path: string,
  handler: KeeperHandler,
  logger: Logger,
): Promise<KeeperDoor> {
  const open = new Set<{ close(): void }>();

  function serve(socket: Socket): void {
    if (open.size >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    const peer: KeeperPeer = {};
    async function answer(request: KeeperRequest): Promise<KeeperAnswer> {
      try {
        return { id: request.id, done: (await handler.request(request, peer)) ?? null };
      } catch (error) {
        return { id: request.id, fault: toFaultRecord(error) };
      }
    }
    const connection = createJsonLineConnection(socket, (message) => {
      checkShape(message, record({ id: count(), ask: word(...Object.keys(SHAPES)) }), 'request');
      const request = message as KeeperRequest;
      checkShape(request, SHAPES[request.ask], 'request');
      void answer(request).then((said) => connection.send(said));
    });
    open.add(connection);
    connection.ended.then((error) => {
      open.delete(connection);
      if (error !== undefined)
        logger.warn({ role: peer.role, error: String(error) }, 'a connection was ended');
      handler.gone(peer);
    });
  }

  const listener = await listenUnix(path, serve);
  return {
    async close() {
      for (const connection of open) connection.close();
      await listener.close();
    },
  };
}
