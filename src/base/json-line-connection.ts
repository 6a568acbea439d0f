import type { Duplex } from 'node:stream';
import { Fault, toFault } from './fault.ts';
import { createJsonLineSplitter, encodeJsonLine, MAX_JSON_LINE } from './json-lines.ts';

/** JSON documents over a socket, one a line, both ways at any time. */
export interface JsonLineConnection {
  /** Dropped silently once the connection has ended. @throws Fault `invalid/line-too-long` */
  send(value: unknown): void;
  /** Ends it at once; what was sent before is still delivered where the other side reads. */
  close(): void;
  /**
   * Resolves once when the connection has ended: with why, or undefined where either side just closed it. Nothing comes
   * to `onMessage` after that.
   */
  readonly ended: Promise<Fault | undefined>;
  readonly open: boolean;
}

export interface JsonLineSettings {
  /** Bytes; default 1 MiB. */
  readonly maxLine?: number;
  /** Bytes that the other side has not read: past it the connection is dropped. Default 16 MiB. */
  readonly maxQueued?: number;
}

/**
 * @param onMessage called in order of arrival; one that throws drops the connection: what it threw is the reason
 */
export function createJsonLineConnection(
  socket: Duplex,
  onMessage: (value: unknown) => void,
  { maxLine = MAX_JSON_LINE, maxQueued = 16 * 2 ** 20 }: JsonLineSettings = {},
): JsonLineConnection {
  const splitter = createJsonLineSplitter(maxLine);
  const { promise: ended, resolve } = Promise.withResolvers<Fault | undefined>();
  let open = true;

  function end(reason: Fault | undefined): void {
    if (!open) return;
    open = false;
    // a clean end flushes; a peer that talks nonsense gets nothing more
    if (reason === undefined) socket.end(() => socket.destroy());
    else socket.destroy();
    resolve(reason);
  }

  socket.on('data', (chunk: Buffer) => {
    try {
      for (const value of splitter.push(chunk)) {
        if (!open) return;
        onMessage(value);
      }
    } catch (error) {
      end(toFault(error));
    }
  });
  socket.on('end', () => end(undefined));
  socket.on('close', () => end(undefined));
  // A cut socket is an end like another: who was waiting is told by `ended`.
  socket.on('error', () => end(undefined));

  return {
    send(value) {
      if (!open) return;
      socket.write(encodeJsonLine(value, maxLine));
      if (socket.writableLength > maxQueued) {
        end(
          new Fault('unavailable', 'peer-does-not-read', `more than ${maxQueued} bytes wait to be read`, {
            fields: { maxQueued },
          }),
        );
      }
    },
    close: () => end(undefined),
    ended,
    get open() {
      return open;
    },
  };
}
