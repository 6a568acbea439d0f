import { chmod, rename, stat, unlink } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';

/** A listening unix socket. */
export interface UnixListener {
  /** No more connections; the file goes unless a successor has taken its name. Open connections are the caller's. */
  close(): Promise<void>;
}

/**
 * Listens at `path`, for this user alone (0600), in place of whatever file lies there: a predecessor that was killed
 * leaves its socket, and one that hands over still listens on it. Nobody can connect before the mode is set.
 * @throws the errno errors of listen, chmod and rename
 */
export async function listenUnix(
  path: string,
  onConnection: (socket: Socket) => void,
): Promise<UnixListener> {
  const server = createServer({ allowHalfOpen: false }, onConnection);
  // bound under another name, then renamed: the name never stands for a socket of other modes, nor for nothing
  const bound = `${path}.${process.pid}`;
  await unlink(bound).catch(() => {});
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(bound, resolve);
  await promise;
  await chmod(bound, 0o600);
  const { ino } = await stat(bound);
  await rename(bound, path);
  return {
    async close() {
      // its callback would wait for the connections
      server.close();
      const now = await stat(path).catch(() => undefined);
      if (now?.ino === ino) await unlink(path).catch(() => {});
    },
  };
}
