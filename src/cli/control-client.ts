import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault, type FaultRecord, fromFaultRecord } from '../base/fault.ts';
import {
  ENDPOINTS,
  type EndpointName,
  type EndpointsOf,
  type EndpointTypes,
  REQUEST_HEADER,
  TAR_TYPE,
} from '../observe/control/endpoints.ts';
import type { OperationEvent, ProgressListener } from '../observe/progress.ts';
import { readJsonLines } from './json-lines.ts';
import { Agent, request as httpRequest } from './node-http.ts';

/** The largest JSON answer that is taken from a station. */
const MAX_ANSWER = 256 * 2 ** 20;

export interface OperationOptions {
  /** A tar that is streamed while events come back. Destroyed when the operation ends before it is read. */
  readonly body?: Readable;
  readonly onProgress: ProgressListener;
  readonly signal: AbortSignal;
}

/**
 * The station as the command line sees it. Every method throws the station's own Faults, and
 * `unavailable/station-not-running`, `unavailable/station-gone` (it ended in the middle), `denied/no-access`.
 */
export interface ControlClient {
  call<Name extends EndpointsOf<'json'>>(
    name: Name,
    request: EndpointTypes[Name]['request'],
    signal?: AbortSignal,
  ): Promise<EndpointTypes[Name]['result']>;
  operate<Name extends EndpointsOf<'events'>>(
    name: Name,
    request: EndpointTypes[Name]['request'],
    options: OperationOptions,
  ): Promise<EndpointTypes[Name]['result']>;
  /** A stream of bytes; it errors when the station breaks off. */
  stream<Name extends EndpointsOf<'tar'>>(
    name: Name,
    request: EndpointTypes[Name]['request'],
    signal: AbortSignal,
  ): Promise<Readable>;
}

/**
 * @param socketPath `<root>/control.sock`
 * @param startHint the command that starts the station, for messages
 */
export function createControlClient(socketPath: string, startHint: string): ControlClient {
  return new SocketClient(socketPath, startHint);
}

class SocketClient implements ControlClient {
  readonly #path: string;
  readonly #hint: string;
  // Kept alive, so that the station drains a body it does not want instead of closing under its own answer.
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(path: string, hint: string) {
    this.#path = path;
    this.#hint = hint;
  }

  async call<Name extends EndpointsOf<'json'>>(
    name: Name,
    request: EndpointTypes[Name]['request'],
    signal?: AbortSignal,
  ): Promise<EndpointTypes[Name]['result']> {
    const { outgoing, answered } = this.#send(name, request, signal);
    outgoing.end(bodyOf(name, request));
    const response = await answered;
    try {
      const text = await readAll(response);
      if (response.statusCode !== 200) throw faultOf(text, response);
      return JSON.parse(text) as EndpointTypes[Name]['result'];
    } catch (error) {
      throw signal?.aborted === true ? cancelled(error) : this.#gone(error);
    } finally {
      this.#agent.destroy();
    }
  }

  async operate<Name extends EndpointsOf<'events'>>(
    name: Name,
    request: EndpointTypes[Name]['request'],
    { body, onProgress, signal }: OperationOptions,
  ): Promise<EndpointTypes[Name]['result']> {
    const { outgoing, answered } = this.#send(name, request, signal);
    let sourceFault: unknown;
    if (body === undefined) outgoing.end(bodyOf(name, request));
    else {
      // A source that fails cuts the request; its own error is the one to show. What it is told when the request has
      // ended is the answer's matter.
      body.once('error', (error) => {
        if (!outgoing.destroyed) sourceFault ??= error;
      });
      // Before the first byte of a slow source: the station may have something to say already.
      outgoing.flushHeaders();
      pipeline(body, outgoing).catch(() => {});
    }
    try {
      const response = await answered;
      if (response.statusCode !== 200) throw faultOf(await readAll(response), response);
      for await (const line of readJsonLines(response)) {
        const event = line as OperationEvent<EndpointTypes[Name]['result']>;
        if (event.event === 'result') return event.result;
        if (event.event === 'fault') throw fromFaultRecord(event.fault);
        onProgress(event);
      }
      throw new Error('the answer ended without a result');
    } catch (error) {
      if (signal.aborted) throw cancelled(error);
      throw sourceFault ?? this.#gone(error);
    } finally {
      body?.destroy();
      outgoing.destroy();
      this.#agent.destroy();
    }
  }

  async stream<Name extends EndpointsOf<'tar'>>(
    name: Name,
    request: EndpointTypes[Name]['request'],
    signal: AbortSignal,
  ): Promise<Readable> {
    const { outgoing, answered } = this.#send(name, request, signal);
    outgoing.end();
    const response = await answered;
    response.once('close', () => this.#agent.destroy());
    if (response.statusCode !== 200) throw faultOf(await readAll(response), response);
    return response;
  }

  #send(
    name: EndpointName,
    request: unknown,
    signal: AbortSignal | undefined,
  ): { outgoing: ClientRequest; answered: Promise<IncomingMessage> } {
    const endpoint = ENDPOINTS[name];
    const headers: Record<string, string> = {};
    if (endpoint.request === 'header') headers[REQUEST_HEADER] = encodeURIComponent(JSON.stringify(request));
    if (endpoint.request === 'body') headers['content-type'] = 'application/json';
    else if (endpoint.answer === 'events') headers['content-type'] = TAR_TYPE;
    const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = httpRequest({
      socketPath: this.#path,
      path: endpoint.path,
      method: endpoint.method,
      headers,
      agent: this.#agent,
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.once('response', resolve);
    outgoing.on('error', (error) => reject(signal?.aborted === true ? cancelled(error) : this.#gone(error)));
    return { outgoing, answered };
  }

  /** What a broken connection means to a person. */
  #gone(error: unknown): Fault {
    if (error instanceof Fault) return error;
    const errno = (error as NodeJS.ErrnoException).code;
    const fields = { socket: this.#path };
    if (errno === 'ENOENT' || errno === 'ECONNREFUSED' || errno === 'ENOTDIR') {
      return new Fault('unavailable', 'station-not-running', `no shp station is running: run ${this.#hint}`, {
        cause: error,
        fields,
      });
    }
    if (errno === 'EACCES' || errno === 'EPERM') {
      return new Fault('denied', 'no-access', `${this.#path} may be used by its owner only: run as root`, {
        cause: error,
        fields,
      });
    }
    return new Fault(
      'unavailable',
      'station-gone',
      `the station went away in the middle: run ${this.#hint}, then run this again, it goes on where it stopped`,
      { cause: error, fields },
    );
  }
}

function bodyOf(name: EndpointName, request: unknown): string | undefined {
  return ENDPOINTS[name].request === 'body' ? JSON.stringify(request ?? {}) : undefined;
}

function cancelled(error: unknown): Fault {
  return new Fault('cancelled', 'cancelled', 'cancelled', { cause: error });
}

function faultOf(text: string, response: IncomingMessage): Fault {
  try {
    return fromFaultRecord((JSON.parse(text) as { fault: FaultRecord }).fault);
  } catch {
    return new Fault(
      'internal',
      'bad-answer',
      `the station answered ${response.statusCode ?? 0} without a reason`,
    );
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER) throw new Fault('internal', 'bad-answer', 'the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
