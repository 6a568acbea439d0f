import type { Request, Response } from 'express';
import { Fault, toFault, toFaultRecord } from '../../base/fault.ts';
import type { EndpointName, EndpointTypes } from '../../observe/control/endpoints.ts';
import { ENDPOINTS, REQUEST_HEADER } from '../../observe/control/endpoints.ts';
import { FAULT_STATUS } from './fault-status.ts';
import { parseRequest } from './request-shapes.ts';

/** One request and its answer, with the signal that aborts when either side gives up. */
export interface Exchange {
  readonly request: Request;
  readonly response: Response;
  readonly signal: AbortSignal;
}

/**
 * @param stopping aborts with a Fault when the door closes
 */
export function openExchange(request: Request, response: Response, stopping: AbortSignal): Exchange {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Fault('cancelled', 'client-gone', 'the client went away'));
  });
  return { request, response, signal: AbortSignal.any([gone.signal, stopping]) };
}

/** The request's JSON, from the body or the header as the endpoint says. @throws Fault `invalid/bad-request` */
export function readRequest<Name extends EndpointName>(
  name: Name,
  request: Request,
): EndpointTypes[Name]['request'] {
  const place = ENDPOINTS[name].request;
  if (place === 'none') return parseRequest(name, undefined);
  if (place === 'body') return parseRequest(name, request.body);
  const header = request.headers[REQUEST_HEADER];
  try {
    return parseRequest(name, typeof header === 'string' ? JSON.parse(decodeURIComponent(header)) : {});
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('invalid', 'bad-request', `${name}: the header ${REQUEST_HEADER} is not JSON`, {
      cause: error,
    });
  }
}

/** What an operation that threw is answered with: a stop of the station shows as that, not as a client's abort. */
export function faultOf(thrown: unknown, signal: AbortSignal): Fault {
  const fault = toFault(thrown);
  return fault.kind === 'cancelled' && signal.reason instanceof Fault ? signal.reason : fault;
}

/** The whole answer is a fault; when bytes have gone out already the exchange is cut instead. */
export function answerFault(response: Response, thrown: unknown): void {
  const fault = toFaultRecord(thrown);
  if (response.headersSent) response.destroy();
  else response.status(FAULT_STATUS[fault.kind]).json({ fault });
}
