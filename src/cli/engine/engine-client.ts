import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault } from '../../base/fault.ts';
import { request as httpRequest } from '../node-http.ts';
import type { EngineAddress } from './engine-address.ts';

/** The largest JSON answer that is taken from an engine. */
const MAX_ANSWER = 64 * 2 ** 20;
/** How long an engine may take to accept and to answer `/_ping`. */
const PING_MS = 10_000;
/** Docker 1.12; what is used here has not changed since. */
const OLDEST_API = '1.24';

export interface EngineRequest {
  readonly method?: 'GET' | 'POST';
  /** Without the version, e.g. `/images/json?all=1`. */
  readonly path: string;
  readonly body?: Readable;
  readonly signal: AbortSignal;
}

/**
 * The few calls of the Docker Engine API that moving images takes (docs.docker.com/reference/api/engine). Podman's
 * socket speaks them too.
 */
export interface EngineClient {
  readonly address: EngineAddress;
  /** `1.41`: what the engine answered to `/_ping`. */
  readonly apiVersion: string;
  /** @throws Fault `not-found/engine-404` and so on with the engine's own message, `unavailable/engine-gone` */
  json<T>(request: EngineRequest): Promise<T>;
  /** The body of a 200. The caller reads or destroys it. */
  stream(request: EngineRequest): Promise<Readable>;
}

/**
 * Asks the engine which API it speaks.
 * @throws Fault `unavailable/no-engine`, `denied/engine-access`, each with what to do
 */
export async function openEngine(address: EngineAddress, signal: AbortSignal): Promise<EngineClient> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(PING_MS)]);
  const response = await send(address, { path: '/_ping', signal: limited }).catch((error) => {
    throw signal.aborted ? error : noEngine(address, error);
  });
  response.resume();
  const header = response.headers['api-version'];
  const apiVersion = typeof header === 'string' && /^\d+\.\d+$/.test(header) ? header : OLDEST_API;
  return new HttpEngineClient(address, apiVersion);
}

class HttpEngineClient implements EngineClient {
  readonly address: EngineAddress;
  readonly apiVersion: string;

  constructor(address: EngineAddress, apiVersion: string) {
    this.address = address;
    this.apiVersion = apiVersion;
  }

  async json<T>(request: EngineRequest): Promise<T> {
    const stream = await this.stream(request);
    return JSON.parse(await readText(stream)) as T;
  }

  async stream(request: EngineRequest): Promise<Readable> {
    const path = `/v${this.apiVersion}${request.path}`;
    const response = await send(this.address, { ...request, path }).catch((error) => {
      throw error instanceof Fault || request.signal.aborted ? error : engineGone(this.address, error);
    });
    if (response.statusCode === 200) return response;
    throw await engineFault(response, request.path);
  }
}

async function send(address: EngineAddress, request: EngineRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const where =
    address.kind === 'unix' ? { socketPath: address.socketPath } : { host: address.host, port: address.port };
  const outgoing = httpRequest({
    ...where,
    path: request.path,
    method: request.method ?? 'GET',
    agent: false,
    signal: request.signal,
    headers: {
      host: 'docker',
      ...(request.body === undefined ? {} : { 'content-type': 'application/x-tar' }),
    },
  });
  outgoing.once('response', resolve);
  outgoing.on('error', reject);
  if (request.body === undefined) outgoing.end();
  else {
    // The source's error is the one to show: a broken station is not the engine's fault.
    request.body.once('error', reject);
    pipeline(request.body, outgoing).catch(() => {});
  }
  return promise;
}

async function engineFault(response: IncomingMessage, path: string): Promise<Fault> {
  const text = await readText(response);
  let message = text.trim();
  try {
    message = String((JSON.parse(text) as { message?: unknown }).message ?? message);
  } catch {
    // Old engines and proxies answer plain text.
  }
  const status = response.statusCode ?? 0;
  const kind =
    status === 404 ? 'not-found' : status === 409 ? 'busy' : status < 500 ? 'invalid' : 'unavailable';
  return new Fault(kind, `engine-${status}`, `the Docker engine says: ${message || `status ${status}`}`, {
    fields: { status, path },
  });
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER)
      throw new Fault('invalid', 'engine-answer', 'the answer of the Docker engine is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function noEngine(address: EngineAddress, error: unknown): Fault {
  const errno = (error as NodeJS.ErrnoException).code ?? (error as Error).name;
  const fields = { host: address.text };
  if (errno === 'EACCES' || errno === 'EPERM') {
    return new Fault(
      'denied',
      'engine-access',
      `the Docker engine at ${address.text} may not be used by this user`,
      {
        cause: error,
        fields,
      },
    );
  }
  return new Fault(
    'unavailable',
    'no-engine',
    `no Docker engine answers at ${address.text} (${errno}): start it, or set DOCKER_HOST`,
    { cause: error, fields },
  );
}

function engineGone(address: EngineAddress, error: unknown): Fault {
  return new Fault(
    'unavailable',
    'engine-gone',
    `the Docker engine at ${address.text} broke off: ${String(error)}`,
    {
      cause: error,
      fields: { host: address.text },
    },
  );
}
