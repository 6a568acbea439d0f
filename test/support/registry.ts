import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Debian's docker-registry on a loopback port, its data in a folder that goes away with it. */
export interface Registry extends AsyncDisposable {
  /** `<address>:<port>`, which docker takes without TLS on loopback. */
  readonly host: string;
  /** Bytes of all blobs that it holds: compressed layers, configs, manifests. */
  blobBytes(): number;
  stop(): Promise<void>;
}

const PROGRAM = '/usr/bin/docker-registry';

export function hasRegistry(): boolean {
  return existsSync(PROGRAM);
}

/** A port that is free on `address` now. */
export function freePort(address = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() => resolve(bound !== null && typeof bound === 'object' ? bound.port : 0));
    });
  });
}

/** @param argv a command that `docker-registry serve CONFIG` is put behind, e.g. to enter a network namespace */
export async function startRegistry(
  options: { readonly address?: string; readonly argv?: readonly string[]; readonly port?: number } = {},
): Promise<Registry> {
  const address = options.address ?? '127.0.0.1';
  const port = options.port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'shp-registry-'));
  const config = join(folder, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n` +
      `storage: {filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: true}}\nhttp: {addr: '${address}:${port}'}\n`,
  );
  const [program = PROGRAM, ...argv] = [...(options.argv ?? []), PROGRAM, 'serve', config];
  const child = spawn(program, argv, { stdio: 'ignore' });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  // In another network namespace it cannot be asked from here: the caller waits where it can.
  for (let attempt = 0; options.argv === undefined && attempt < 200; attempt++) {
    const answer = await fetch(`http://${address}:${port}/v2/`).catch(() => undefined);
    if (answer?.ok) break;
    if (child.exitCode !== null || attempt === 199) {
      await stop();
      throw new Error(`docker-registry did not come up on ${address}:${port}`);
    }
    await sleep(25);
  }
  const blobs = join(folder, 'data/docker/registry/v2/blobs');
  const blobBytes = () =>
    readdirSync(blobs, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return { host: `${address}:${port}`, blobBytes, stop, [Symbol.asyncDispose]: stop };
}
