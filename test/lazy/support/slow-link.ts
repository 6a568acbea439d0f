import { connect as connectTo, createServer, type Socket } from 'node:net';
import type { TransferStation } from '../../transfer/support/two-stations.ts';

/** A TCP link to a station that delays every byte, and that can be cut. */
export interface SlowLink extends AsyncDisposable {
  /** What to connect to, with the station's peer id. */
  readonly address: string;
  cut(): void;
}

/** @param delayMs each way */
export async function slowLink(to: TransferStation, delayMs: number): Promise<SlowLink> {
  const [, , , , port] = (to.swarm.addrs()[0] as string).split('/');
  const sockets = new Set<Socket>();
  const later = (from: Socket, into: Socket): void => {
    from.on('data', (bytes) => setTimeout(() => into.writable && into.write(bytes), delayMs));
    from.on('close', () => setTimeout(() => into.destroy(), delayMs));
    from.on('error', () => {});
  };
  const server = createServer((near) => {
    const far = connectTo(Number(port), '127.0.0.1');
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      sockets.add(socket);
    }
    later(near, far);
    later(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: own } = server.address() as { port: number };
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    address: `/ip4/127.0.0.1/tcp/${own}/p2p/${to.id}`,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
