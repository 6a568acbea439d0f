import { lstat, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { Fault } from '../../base/fault.ts';

/**
 * Makes room at `path` for a socket: what a dead station left is removed.
 * @throws Fault `busy/already-running` when something answers there, `exists/socket-path-taken` when it is no socket
 */
export async function clearSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Fault('denied', 'socket-not-writable', `${path} cannot be used: ${error.message}`, {
      cause: error,
      fields: { path },
    });
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new Fault('exists', 'socket-path-taken', `${path} is there and is no socket: remove it`, {
      fields: { path },
    });
  }
  if (await answers(path)) {
    throw new Fault('busy', 'already-running', `a station is running already: it answers at ${path}`, {
      fields: { path },
    });
  }
  await rm(path, { force: true });
}

/** Whether something accepts connections at `path`. A full backlog (EAGAIN) is a living one too. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.destroy();
      resolve(error.code === 'EAGAIN');
    });
  });
}
