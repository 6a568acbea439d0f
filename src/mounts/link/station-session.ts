import type { Socket } from 'node:net';
import { Fault, fromFaultRecord, toFaultRecord } from '../../base/fault.ts';
import { createJsonLineConnection, type JsonLineConnection } from '../../base/json-line-connection.ts';
import type { LinkHandler } from './link-handler.ts';
import type { LinkGreeting, ServerMessage, StationRequest } from './link-messages.ts';
import { parseStationMessage } from './link-shapes.ts';
import type { WantSink } from './wants.ts';

/** One station's connection, seen from the mount server. */
export interface StationSession extends WantSink {
  send(message: ServerMessage): void;
  close(): void;
  /** The Fault of what the station did wrong, or undefined. */
  readonly ended: Promise<Fault | undefined>;
}

/** What a session tells of. */
export interface StationEvents {
  /** It said hello: it is the station from now on. */
  onHello(version: string): void;
  onHave(want: number, complete: boolean): void;
  onLost(want: number, fault: Fault): void;
}

/** Requests of a station that are under way at a time: a station that starts names all its chains at once. */
const MAX_REQUESTS = 8192;

/** Serves one connection: hello first, then requests in any number, answered in any order. */
export function createStationSession(
  { handler, events }: { readonly handler: LinkHandler; readonly events: StationEvents },
  socket: Socket,
  greeting: LinkGreeting,
  signal: AbortSignal,
): StationSession {
  let greeted = false;
  let running = 0;

  const connection: JsonLineConnection = createJsonLineConnection(socket, (value) => {
    const message = parseStationMessage(value);
    if ('ask' in message) request(message);
    else if (!greeted) throw noHello();
    else if ('have' in message) events.onHave(message.have, message.complete);
    else events.onLost(message.lost, fromFaultRecord(message.fault));
  });

  function request(message: StationRequest): void {
    if (message.ask === 'hello') {
      greeted = true;
      connection.send({ id: message.id, done: greeting });
      events.onHello(message.version);
      return;
    }
    if (!greeted) throw noHello();
    if (running >= MAX_REQUESTS)
      throw new Fault('invalid', 'too-many-requests', `more than ${MAX_REQUESTS} requests at a time`);
    running++;
    void answer(message).finally(() => running--);
  }

  async function answer(message: StationRequest): Promise<void> {
    try {
      const done = await perform(handler, message, signal);
      connection.send({ id: message.id, done: done ?? null });
    } catch (error) {
      connection.send({ id: message.id, fault: toFaultRecord(error) });
    }
  }

  return {
    want: (message) => connection.send(message),
    cancel: (want) => connection.send({ cancel: want }),
    send: (message) => connection.send(message),
    close: () => connection.close(),
    ended: connection.ended,
  };
}

function perform(handler: LinkHandler, message: StationRequest, signal: AbortSignal): unknown {
  switch (message.ask) {
    case 'chain':
      return handler.chain(message.chain);
    case 'forget':
      return handler.forget(message.key);
    case 'mount':
      return handler.mount(message.mount, signal);
    case 'unmount':
      return handler.unmount(message.target, message.lazy, signal);
    case 'status':
      return handler.status();
    case 'frames':
      return handler.frames();
    case 'hello':
      return undefined;
  }
}

function noHello(): Fault {
  return new Fault('invalid', 'no-hello', 'the first message of a station must be hello');
}
