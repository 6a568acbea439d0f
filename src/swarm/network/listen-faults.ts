import { createServer } from 'node:net';
import { Fault } from '../../base/fault.ts';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken; is another station or IPFS node running? Set network.listen to another one',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'ports below 1024 are for root',
};

/** Why listening failed: libp2p tells it in a long text only, so the addresses are tried once more. */
export async function listenFault(listen: readonly string[], cause: unknown): Promise<Fault> {
  const reasons: string[] = [];
  for (const address of listen) {
    const errno = await tryListen(address);
    if (errno !== undefined) reasons.push(`${address}: ${REASONS[errno] ?? errno}`);
  }
  const reason = reasons.join('; ') || (cause as Error).message;
  return new Fault('unavailable', 'cannot-listen', `cannot listen on ${reason}`, {
    cause,
    fields: { addrs: listen, reason },
  });
}

function tryListen(address: string): Promise<string | undefined> {
  const [, , host, , port] = address.split('/');
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  server.listen({ host, port: Number(port) }, () => server.close(() => resolve(undefined)));
  return promise;
}
