import type { Duplex } from 'node:stream';

/** JSON documents over a socket, one a line. */
export interface JsonLineConnection {
  /** Dropped silently once the connection has ended. @throws Fault `invalid/line-too-long` */
  send(value: unknown): void;
  /** Ends it; what was sent is delivered where the other side still reads. */
  close(): void;
  /** Resolves when the connection has ended: with the Fault of what the other side did wrong, or undefined. */
  readonly ended: Promise<Error | undefined>;
}

/**
 * @param onMessage called in order; one that throws ends the connection
 */
export function createJsonLineConnection(
  socket: Duplex,
  onMessage: (value: unknown) => void,
  settings: { readonly maxLine?: number; readonly maxQueued?: number } = {},
): JsonLineConnection {
  throw new Error(`${socket} ${onMessage} ${settings}`);
}
