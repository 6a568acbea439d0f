import { once } from 'node:events';
import { createConnection } from 'node:net';
import { Fault, fromFaultRecord } from '../base/fault.ts';
import { createJsonLineConnection } from '../base/json-line-connection.ts';
import type { KeeperAnswer, KeeperAsk } from './keeper-messages.ts';

/** A connection to the keeper. Its end tells the keeper that whoever holds it is gone. */
export interface KeeperClient {
  /** @throws Fault the keeper's; `unavailable/keeper-gone` when the connection ends first; `cancelled` */
  ask(request: KeeperAsk, signal: AbortSignal): Promise<unknown>;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  close(): void;
}

/**
 * @param path `<root>/run/keeper.sock`
 * @throws Fault `unavailable/no-keeper` where nobody listens
 */
export async function connectKeeper(path: string): Promise<KeeperClient> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
  } catch (error) {
    socket.destroy();
    throw new Fault('unavailable', 'no-keeper', `no keeper answers at ${path}`, {
      cause: error,
      fields: { path },
    });
  }
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let number = 0;
  const connection = createJsonLineConnection(socket, (message) => {
    const answer = message as KeeperAnswer;
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('fault' in answer) waiter?.reject(fromFaultRecord(answer.fault));
    else waiter?.resolve(answer.done);
  });
  const gone = () => new Fault('unavailable', 'keeper-gone', 'the keeper ended before it answered');
  let open = true;
  const ended = connection.ended.then(() => {
    open = false;
    for (const waiter of waiting.values()) waiter.reject(gone());
    waiting.clear();
  });
  return {
    ended,
    close: () => connection.close(),
    async ask(request, signal) {
      signal.throwIfAborted();
      if (!open) throw gone();
      const id = ++number;
      const waiter = Promise.withResolvers<unknown>();
      waiting.set(id, waiter);
      const aborted = () => waiter.reject(signal.reason);
      signal.addEventListener('abort', aborted, { once: true });
      try {
        connection.send({ ...request, id });
        return await waiter.promise;
      } finally {
        waiting.delete(id);
        signal.removeEventListener('abort', aborted);
      }
    },
  };
}
