import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program of an image, and how it is known to be ready. */
export interface StartedProgram {
  readonly name: string;
  /** Debian packages that hold it. */
  readonly packages: readonly string[];
  readonly argv: readonly string[];
  /** What it needs that is not in the package: written into the tree before the start. */
  readonly files?: Readonly<Record<string, string>>;
  /** `output`: it prints `ready`. Else what is sent to its socket, and what the answer begins with. */
  readonly ready: 'output' | { readonly ask: string; readonly answer: string };
}

const SOCKET = '/run/start.sock';
const HTTP = { ask: 'GET / HTTP/1.0\r\nHost: start\r\n\r\n', answer: 'HTTP/1.1 200' };

export const PROGRAMS: readonly StartedProgram[] = [
  {
    name: 'python3',
    packages: ['python3'],
    argv: ['python3', '-c', 'import json, ssl; print("ready", flush=True)'],
    ready: 'output',
  },
  {
    name: 'node',
    packages: ['nodejs'],
    argv: [
      'node',
      '-e',
      `require("http").createServer((_, answer) => answer.end("ready")).listen("${SOCKET}")`,
    ],
    ready: HTTP,
  },
  {
    name: 'nginx',
    packages: ['nginx'],
    argv: ['nginx', '-g', 'daemon off;'],
    files: {
      '/etc/nginx/conf.d/start.conf': `server { listen unix:${SOCKET}; root /var/www/html; index index.nginx-debian.html; }\n`,
    },
    ready: HTTP,
  },
  {
    name: 'redis',
    packages: ['redis-server'],
    argv: ['redis-server', '--port', '0', '--unixsocket', SOCKET, '--save', ''],
    ready: { ask: 'PING\r\n', answer: '+PONG' },
  },
];

/** How long a start may take before the benchmark gives up. */
const START_MS = 120_000;
const POLL_MS = 1;

/**
 * Starts it in a tree (chroot) that can be written.
 * @param prefix put before the command, e.g. to enter a network namespace
 * @returns when it is ready; ending it is the caller's
 */
export async function startProgram(
  program: StartedProgram,
  root: string,
  prefix: readonly string[] = [],
): Promise<AsyncDisposable> {
  for (const [path, content] of Object.entries(program.files ?? {})) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  rmSync(join(root, SOCKET), { force: true });
  const [command = '', ...argv] = [...prefix, 'chroot', root, ...program.argv];
  const child = spawn(command, argv, {
    // A group of its own: workers go with their master.
    detached: true,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
  }
  const failed = async (): Promise<never> => {
    throw new Error(`${program.name} did not get ready: ${said}`);
  };
  const ended = once(child, 'exit');
  const ready =
    program.ready === 'output' ? printed(child) : answered(join(root, SOCKET), program.ready, child);
  const ok = await Promise.race([ready, sleep(START_MS, false, { ref: false })]);
  const end = async () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    if (child.exitCode === null && child.signalCode === null) await ended;
  };
  if (!ok) {
    await end();
    return failed();
  }
  return { [Symbol.asyncDispose]: end };
}

/** False when it ends without the word. */
function printed(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('ready')) resolve(true);
    });
    child.once('close', () => resolve(false));
  });
}

async function answered(
  socket: string,
  { ask, answer }: { readonly ask: string; readonly answer: string },
  child: ChildProcess,
): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    if (await exchange(socket, ask, answer)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

function exchange(socket: string, ask: string, answer: string): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const connection = createConnection(socket, () => connection.write(ask));
    connection.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.length >= answer.length) {
        resolve(text.startsWith(answer));
        connection.destroy();
      }
    });
    connection.on('error', () => resolve(false));
    connection.on('close', () => resolve(false));
  });
}
