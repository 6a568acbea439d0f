import { createHash } from 'node:crypto';
import { systemClock } from '../../../src/base/clock.ts';
import { type Identity, makeIdentity } from '../../../src/config/identity-file.ts';
import { type Logger, silentLogger } from '../../../src/observe/logger.ts';
import { type Network, openNetwork } from '../../../src/swarm/network/open-network.ts';
import type { ByteStream } from '../../../src/swarm/network/peer-streams.ts';
import { defaultSwarmSettings, type SwarmSettings } from '../../../src/swarm/swarm-settings.ts';

/** For loopback: nothing outside is looked for. */
export const loopbackSettings: SwarmSettings = {
  ...defaultSwarmSettings,
  listen: ['/ip4/127.0.0.1/tcp/0'],
  mdns: false,
  natTraversal: false,
};

export interface TestNetwork extends AsyncDisposable {
  readonly network: Network;
  readonly identity: Identity;
  readonly addr: string;
}

/** @param prepare takes protocols before the start */
export async function testNetwork(
  settings: Partial<SwarmSettings> = {},
  prepare: (network: Network) => void = () => {},
  logger: Logger = silentLogger,
): Promise<TestNetwork> {
  const identity = makeIdentity();
  const network = await openNetwork(
    { identity, logger, clock: systemClock },
    { ...loopbackSettings, ...settings },
  );
  prepare(network);
  await network.start();
  return {
    network,
    identity,
    addr: network.addrs()[0] ?? '',
    [Symbol.asyncDispose]: () => network.stop(),
  };
}

export const soon = () => AbortSignal.timeout(20_000);

/** What a logger was told, level and text. */
export function recordingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (_fields: object, message: string) => lines.push(`${level}: ${message}`);
  const logger = {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
}

/** Sends `count` pieces of `size` bytes made from their number, and answers the sha256 of all. */
export async function sendPieces(stream: ByteStream, count: number, size: number): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < count; at++) {
    const piece = Buffer.alloc(size, `piece ${at} `);
    hash.update(piece);
    await stream.write(piece);
  }
  await stream.closeWrite();
  return hash.digest('hex');
}

/** Reads to the end; answers bytes and sha256. */
export async function readAll(stream: ByteStream): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream.read) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
}
