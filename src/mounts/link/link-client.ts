import { connect, type Socket } from 'node:net';
import { Fault, fromFaultRecord, toFaultRecord } from '../../base/fault.ts';
import { createJsonLineConnection } from '../../base/json-line-connection.ts';
import { checkShape } from '../../base/json-shape.ts';
import type { Logger } from '../../observe/logger.ts';
import type {
  ChainSpec,
  FuseFrames,
  LinkGreeting,
  MountedView,
  MountServerStatus,
  OverlayMountSpec,
  StationRequest,
  TouchedMessage,
  WantMessage,
} from './link-messages.ts';
import { parseServerMessage, REQUESTS } from './link-shapes.ts';

/** What the mount server wants of the station. */
export interface WantHandler {
  /**
   * Resolves when the leaves are readable; a thrown Fault becomes an errno for the reader.
   * @param signal aborted when nobody waits any more, or the connection is gone
   */
  want(want: WantMessage, signal: AbortSignal): Promise<{ readonly complete: boolean }>;
  touched(message: TouchedMessage): void;
}

/** The station's end. Every call throws `unavailable/link-closed` once the connection is gone, `cancelled` on abort. */
export interface LinkClient {
  /** Of the mount server. */
  readonly version: string;
  readonly pid: number;
  chain(chain: ChainSpec, signal: AbortSignal): Promise<void>;
  forget(key: string, signal: AbortSignal): Promise<void>;
  mount(mount: OverlayMountSpec, signal: AbortSignal): Promise<MountedView>;
  unmount(target: string, lazy: boolean, signal: AbortSignal): Promise<void>;
  status(signal: AbortSignal): Promise<MountServerStatus>;
  frames(signal: AbortSignal): Promise<FuseFrames>;
  /** Resolves when the connection has ended, for whatever reason. To connect again is the caller's. */
  readonly ended: Promise<void>;
  close(): void;
}

/** A request without its number. */
type Asked = StationRequest extends infer Request
  ? Request extends unknown
    ? Omit<Request, 'id'>
    : never
  : never;

/** Twice what a mount server lets wait: more is nonsense. */
const MAX_WANTS = 8192;

/**
 * Connects and says hello: from then on the wants of all readers come here.
 * @throws Fault `unavailable/no-mount-server` where nobody listens, `cancelled`
 */
export async function connectLink(
  { handler, logger }: { readonly handler: WantHandler; readonly logger: Logger },
  { path, version }: { readonly path: string; readonly version: string },
  signal: AbortSignal,
): Promise<LinkClient> {
  const socket = await connectSocket(path, signal);
  const asked = new Map<
    number,
    { readonly ask: StationRequest['ask']; readonly settle: PromiseWithResolvers<unknown> }
  >();
  const wants = new Map<number, AbortController>();
  let lastId = 0;

  const connection = createJsonLineConnection(socket, (value) => {
    const message = parseServerMessage(value);
    if ('want' in message) void serve(message);
    else if ('cancel' in message) wants.get(message.cancel)?.abort();
    else if ('touched' in message) handler.touched(message);
    else settle(message);
  });

  function settle(
    message: { readonly id: number } & ({ readonly done: unknown } | { readonly fault: object }),
  ): void {
    const request = asked.get(message.id);
    // given up meanwhile
    if (request === undefined) return;
    asked.delete(message.id);
    if ('fault' in message) {
      request.settle.reject(fromFaultRecord(message.fault));
      return;
    }
    try {
      checkShape(message.done, REQUESTS[request.ask].done, request.ask);
      request.settle.resolve(message.done);
    } catch (error) {
      request.settle.reject(error);
      throw error;
    }
  }

  async function serve(message: WantMessage): Promise<void> {
    const { want } = message;
    if (wants.size >= MAX_WANTS || wants.has(want)) {
      logger.warn({ want, outstanding: wants.size }, 'the mount server asks what makes no sense: dropped');
      connection.close();
      return;
    }
    const cancel = new AbortController();
    wants.set(want, cancel);
    try {
      const { complete } = await handler.want(message, cancel.signal);
      connection.send({ have: want, complete });
    } catch (error) {
      // whoever cancelled waits for no answer
      if (!cancel.signal.aborted) connection.send({ lost: want, fault: toFaultRecord(error) });
    } finally {
      wants.delete(want);
    }
  }

  const ended = connection.ended.then((reason) => {
    if (reason !== undefined)
      logger.warn({ error: reason }, 'the connection to the mount server was dropped');
    for (const { settle } of asked.values()) settle.reject(closed());
    asked.clear();
    for (const cancel of wants.values()) cancel.abort();
  });

  async function ask(request: Asked, requestSignal: AbortSignal): Promise<unknown> {
    if (requestSignal.aborted) throw cancelled();
    if (!connection.open) throw closed();
    lastId++;
    const id = lastId;
    const settle = Promise.withResolvers<unknown>();
    asked.set(id, { ask: request.ask, settle });
    const onAbort = (): void => {
      asked.delete(id);
      settle.reject(cancelled());
    };
    requestSignal.addEventListener('abort', onAbort);
    try {
      connection.send({ id, ...request });
      return await settle.promise;
    } finally {
      asked.delete(id);
      requestSignal.removeEventListener('abort', onAbort);
    }
  }

  try {
    const greeting = (await ask({ ask: 'hello', version }, signal)) as LinkGreeting;
    return {
      version: greeting.version,
      pid: greeting.pid,
      async chain(chain, requestSignal) {
        await ask({ ask: 'chain', chain }, requestSignal);
      },
      async forget(key, requestSignal) {
        await ask({ ask: 'forget', key }, requestSignal);
      },
      async mount(mount, requestSignal) {
        return (await ask({ ask: 'mount', mount }, requestSignal)) as MountedView;
      },
      async unmount(target, lazy, requestSignal) {
        await ask({ ask: 'unmount', target, lazy }, requestSignal);
      },
      async status(requestSignal) {
        return (await ask({ ask: 'status' }, requestSignal)) as MountServerStatus;
      },
      async frames(requestSignal) {
        return (await ask({ ask: 'frames' }, requestSignal)) as FuseFrames;
      },
      ended,
      close: () => connection.close(),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function connectSocket(path: string, signal: AbortSignal): Promise<Socket> {
  if (signal.aborted) throw cancelled();
  const socket = connect(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(cancelled());
  signal.addEventListener('abort', onAbort);
  socket.once('connect', resolve);
  socket.once('error', (error) => {
    reject(
      new Fault('unavailable', 'no-mount-server', `no mount server listens on ${path}`, {
        cause: error,
        fields: { path },
      }),
    );
  });
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function closed(): Fault {
  return new Fault('unavailable', 'link-closed', 'the connection to the mount server is gone');
}

function cancelled(): Fault {
  return new Fault('cancelled', 'cancelled', 'cancelled');
}
