import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import type { ByteStream } from '../../../src/swarm/network/peer-streams.ts';

/** A socket as a byte stream. */
export function socketStream(socket: Socket, peer: string): ByteStream {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  return {
    peer,
    async write(...pieces) {
      if (socket.destroyed) throw new Error('the socket is closed');
      if (socket.write(Buffer.concat(pieces))) return;
      const ended = new AbortController();
      try {
        await Promise.race([
          once(socket, 'drain', { signal: ended.signal }),
          once(socket, 'close', { signal: ended.signal }),
        ]);
      } finally {
        ended.abort();
      }
      if (socket.destroyed) throw new Error('the socket is closed');
    },
    async closeWrite() {
      if (!socket.writableEnded) socket.end();
    },
    read: socket as AsyncIterable<Uint8Array>,
    abort(reason) {
      socket.destroy(reason);
    },
  };
}

/** A real TCP connection over loopback. */
export async function tcpLink(): Promise<{ a: ByteStream; b: ByteStream; close(): void }> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const accepted = once(server, 'connection');
  const client = createConnection({ port, host: '127.0.0.1' });
  const [[socket]] = (await Promise.all([accepted, once(client, 'connect')])) as [[Socket], unknown];
  return {
    a: socketStream(client, 'b'),
    b: socketStream(socket, 'a'),
    close() {
      client.destroy();
      socket.destroy();
      server.close();
    },
  };
}
