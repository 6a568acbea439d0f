import { request } from 'node:http';
import { type Engine, startEngine, systemDockerd } from '../../test/support/engine.ts';

/** The Docker engine that the demonstration loads into. */
export interface DemoEngine extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** What to call it. */
  readonly text: string;
}

const SYSTEM_SOCKET = '/var/run/docker.sock';

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', timeout: 2000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

/**
 * The engine that runs here (DOCKER_HOST, or the system's socket); where none runs but dockerd is installed, one of
 * its own in `folder` that goes away afterwards; else none.
 */
export async function findDemoEngine(folder: string): Promise<DemoEngine | undefined> {
  const running = { [Symbol.asyncDispose]: async () => {} };
  const named = process.env['DOCKER_HOST'];
  if (named !== undefined && named !== '') return { ...running, host: named, text: `the engine at ${named}` };
  if (await answers(SYSTEM_SOCKET)) {
    return { ...running, host: `unix://${SYSTEM_SOCKET}`, text: 'the Docker engine of this machine' };
  }
  if (systemDockerd() === undefined || process.getuid?.() !== 0) return undefined;
  const engine: Engine = await startEngine({ parent: folder });
  return {
    host: engine.host,
    text: `a Docker ${engine.version} of its own (none was running)`,
    [Symbol.asyncDispose]: () => engine.stop(),
  };
}
