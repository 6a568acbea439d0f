import { createServer, type Server } from 'node:http';
import { pipeline } from 'node:stream/promises';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { Fault, toFaultRecord } from '../../base/fault.ts';
import {
  ENDPOINTS,
  type EndpointName,
  type EndpointsOf,
  MAX_REQUEST,
  TAR_TYPE,
} from '../../observe/control/endpoints.ts';
import type { Logger } from '../../observe/logger.ts';
import type { ControlDoor } from './control-door.ts';
import { EVENT_ROUTES, JSON_ROUTES, TAR_ROUTES } from './control-routes.ts';
import type { ControlService, ExportedTar, OperationCall } from './control-service.ts';
import { openEventStream } from './event-stream.ts';
import { answerFault, type Exchange, faultOf, openExchange, readRequest } from './exchange.ts';
import { detachBody } from './request-body.ts';
import { clearSocket } from './socket-file.ts';

export interface ControlDoorComponents {
  readonly log: Logger;
}

/** How long `close` waits for answers that are on their way. */
const CLOSE_WAIT_MS = 5000;
/** How long a client that has its answer may go on sending a body. */
const LINGER_MS = 5000;

export function createControlDoor(service: ControlService, components: ControlDoorComponents): ControlDoor {
  return new ExpressControlDoor(service, components.log);
}

// The tables are typed row by row; walking them loses which request belongs to which handler.
type AnyHandler<Rest extends unknown[], Result> = (
  service: ControlService,
  request: unknown,
  ...rest: Rest
) => Promise<Result>;

class ExpressControlDoor implements ControlDoor {
  readonly #service: ControlService;
  readonly #log: Logger;
  readonly #server: Server;
  readonly #stopping = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(service: ControlService, log: Logger) {
    this.#service = service;
    this.#log = log;
    // A push lasts as long as its archive: no limit on the time a request takes to arrive.
    this.#server = createServer({ requestTimeout: 0 }, this.#routes());
  }

  async listen(path: string): Promise<void> {
    await clearSocket(path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          error.code === 'EADDRINUSE'
            ? new Fault('busy', 'already-running', `a station is running already at ${path}`, {
                fields: { path },
              })
            : new Fault('denied', 'socket-not-writable', `${path} cannot be made: ${error.message}`, {
                cause: error,
                fields: { path },
              }),
        );
      });
      // bind(2) makes the file inside listen(), before it returns: no moment at which others may open it.
      const umask = process.umask(0o177);
      try {
        this.#server.listen(path, resolve);
      } finally {
        process.umask(umask);
      }
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#stopping.abort(new Fault('unavailable', 'station-stopping', 'the station is stopping'));
    if (!this.#server.listening) return;
    const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const late = setTimeout(() => this.#server.closeAllConnections(), CLOSE_WAIT_MS);
    await ended;
    clearTimeout(late);
  }

  /** A client that keeps its connection would hold up the end: once its answer is out it is idle, and closed. */
  #closeLateConnection(): void {
    if (this.#stopping.signal.aborted) setImmediate(() => this.#server.closeIdleConnections());
  }

  #routes(): Express {
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    const json = express.json({ limit: MAX_REQUEST, type: () => true });
    for (const name of Object.keys(ENDPOINTS) as EndpointName[]) {
      const endpoint = ENDPOINTS[name];
      const method = endpoint.method.toLowerCase() as 'get' | 'post' | 'delete';
      const before = endpoint.request === 'body' ? [json] : [];
      app[method](endpoint.path, ...before, (request: Request, response: Response) => {
        response.once('close', () => this.#closeLateConnection());
        return this.#answer(name, openExchange(request, response, this.#stopping.signal));
      });
    }
    app.use((request: Request, response: Response) => {
      const what = `${request.method} ${request.path}`;
      answerFault(
        response,
        new Fault(
          'not-found',
          'unknown-endpoint',
          `this station does not know ${what}: is it of another version?`,
          {
            fields: { endpoint: what },
          },
        ),
      );
    });
    app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
      answerFault(response, error instanceof Fault ? error : badBody(error));
    });
    return app;
  }

  async #answer(name: EndpointName, exchange: Exchange): Promise<void> {
    const { response } = exchange;
    try {
      const request = readRequest(name, exchange.request);
      if (ENDPOINTS[name].answer === 'json') {
        const handler = JSON_ROUTES[name as EndpointsOf<'json'>] as AnyHandler<[AbortSignal], unknown>;
        response.json(await handler(this.#service, request, exchange.signal));
      } else if (ENDPOINTS[name].answer === 'tar') {
        await this.#answerTar(name as EndpointsOf<'tar'>, request, exchange);
      } else {
        await this.#answerEvents(name as EndpointsOf<'events'>, request, exchange);
      }
    } catch (thrown) {
      const fault = faultOf(thrown, exchange.signal);
      this.#logFault(name, fault);
      answerFault(response, fault);
    }
  }

  async #answerEvents(name: EndpointsOf<'events'>, request: unknown, exchange: Exchange): Promise<void> {
    const { response, signal } = exchange;
    const body = detachBody(exchange.request);
    const events = openEventStream(response);
    const call: OperationCall = { onProgress: (progress) => events.send(progress), signal };
    try {
      const handler = EVENT_ROUTES[name] as AnyHandler<[OperationCall, typeof body], unknown>;
      events.end({ event: 'result', result: await handler(this.#service, request, call, body) });
    } catch (thrown) {
      const fault = faultOf(thrown, signal);
      this.#logFault(name, fault);
      events.end({ event: 'fault', fault: toFaultRecord(fault) });
    } finally {
      body.destroy();
      lingerThenClose(exchange);
    }
  }

  async #answerTar(name: EndpointsOf<'tar'>, request: unknown, exchange: Exchange): Promise<void> {
    const { response, signal } = exchange;
    const handler = TAR_ROUTES[name] as AnyHandler<[AbortSignal], ExportedTar>;
    const { stream, size } = await handler(this.#service, request, signal);
    response.status(200).type(TAR_TYPE);
    if (size !== undefined) response.setHeader('content-length', size);
    // A failure destroys the response, so the client sees a cut stream, never a clean end.
    await pipeline(stream, response, { signal });
  }

  #logFault(name: EndpointName, fault: Fault): void {
    const fields = { endpoint: name, kind: fault.kind, code: fault.code, ...fault.fields };
    if (fault.kind === 'internal')
      this.#log.error({ ...fields, stack: fault.stack, cause: fault.cause }, fault.message);
    else this.#log.info(fields, fault.message);
  }
}

/** The answer is out; a client that goes on sending is drained for a while, then cut off. */
function lingerThenClose({ request }: Exchange): void {
  if (request.complete || request.destroyed) return;
  const late = setTimeout(() => request.destroy(), LINGER_MS);
  late.unref();
  request.once('close', () => clearTimeout(late));
}

/** What express's JSON parser throws carries `type` (body-parser README, "Errors"). */
function badBody(error: Error & { type?: string }): Fault {
  if (error.type === 'entity.too.large') {
    return new Fault('invalid', 'request-too-large', `a request has at most ${MAX_REQUEST} bytes`, {
      cause: error,
    });
  }
  return new Fault('invalid', 'bad-request', `the request is not JSON: ${error.message}`, { cause: error });
}
