import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { Fault } from '../../base/fault.ts';

/**
 * The body as a stream of its own: destroying it leaves the connection open, which the answer still needs. The rest of
 * a body that nobody reads is drained: closing with unread bytes would reset the socket under the answer (unix(7)).
 */
export function detachBody(request: IncomingMessage): Readable {
  const body = new PassThrough({ highWaterMark: 1 << 20 });
  request.pipe(body);
  request.once('error', (error) => {
    body.destroy(
      new Fault('cancelled', 'client-gone', 'the client went away before its data ended', { cause: error }),
    );
  });
  body.once('close', () => {
    request.unpipe(body);
    request.resume();
  });
  // Errors reach whoever reads the body; one that comes after the last reader left must not end the process.
  body.on('error', () => {});
  return body;
}
