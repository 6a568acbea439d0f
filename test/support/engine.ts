import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface EngineSettings {
  /** A folder of scripts/get-engine; absent: the system's own dockerd. */
  readonly engine?: string;
  readonly storage?: 'overlay2' | 'vfs' | 'containerd';
  /** Put before dockerd, e.g. `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
  /** More of dockerd's command line. */
  readonly argv?: readonly string[];
  /** Where its folders are made; default the system's temp folder. */
  readonly parent?: string;
}

export interface EngineAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A real dockerd of its own: data, sockets, pid file and containerd lie in one folder that goes away with it. */
export interface Engine extends AsyncDisposable {
  readonly socket: string;
  /** For DOCKER_HOST. */
  readonly host: string;
  readonly dataRoot: string;
  /** e.g. `20.10.24+dfsg1`. */
  readonly version: string;
  readonly pid: number;
  /** One call of the Engine API; the answer is read whole. */
  request(method: string, path: string, body?: Uint8Array | Readable | object): Promise<EngineAnswer>;
  /** The same, parsed. @throws Error on a status of 400 or more, with the engine's message */
  json<T>(method: string, path: string, body?: Uint8Array | Readable | object): Promise<T>;
  /** `docker load`: answers the text of its stream. @throws Error when the engine reports one in the stream */
  load(archive: Uint8Array | Readable): Promise<string>;
  stop(): Promise<void>;
}

/** Where the system keeps dockerd; undefined where it has none. */
export function systemDockerd(): string | undefined {
  return ['/usr/sbin/dockerd', '/usr/bin/dockerd'].find((path) => existsSync(path));
}

/** The system's containerd, for those that need no dockerd. */
export interface Containerd extends AsyncDisposable {
  readonly address: string;
  /** Runs `ctr` on it and answers its stdout. @throws Error with what it printed */
  ctr(...argv: readonly string[]): string;
  stop(): Promise<void>;
}

/** Ends a child by its pid: SIGTERM, after `patience` ms SIGKILL. */
async function endChild(child: ChildProcess, patience = 15_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  await ended;
  clearTimeout(timer);
}

/** Whatever is still mounted below `folder`, deepest first. */
function unmountBelow(folder: string): void {
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\040/g, ' '))
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
  for (const path of mounted) {
    try {
      execFileSync('umount', ['-l', path], { stdio: 'ignore' });
    } catch {
      // Gone with its parent.
    }
  }
}

function call(
  socket: string,
  method: string,
  path: string,
  body?: Uint8Array | Readable | object,
): Promise<EngineAnswer> {
  return new Promise((resolve, reject) => {
    const raw = body instanceof Uint8Array;
    const stream = !raw && body !== undefined && 'pipe' in body ? (body as Readable) : undefined;
    const type =
      body === undefined ? {} : { 'Content-Type': raw || stream ? 'application/x-tar' : 'application/json' };
    const sent = httpRequest(
      { socketPath: socket, method, path, headers: { Host: 'docker', ...type } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on('error', reject);
    if (stream === undefined) sent.end(raw ? body : body === undefined ? undefined : JSON.stringify(body));
    else stream.on('error', (error) => sent.destroy(error)).pipe(sent);
  });
}

async function waitUntil(
  what: string,
  log: string,
  child: ChildProcess,
  ready: () => Promise<boolean>,
): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await ready().catch(() => false)) return;
    if (child.exitCode !== null) break;
    await sleep(50);
  }
  throw new Error(`${what} did not come up:\n${readFileSync(log, 'utf8').slice(-4000)}`);
}

function start(program: string, argv: readonly string[], log: string, env: NodeJS.ProcessEnv): ChildProcess {
  const output = openSync(log, 'a');
  return spawn(program, argv, { env, stdio: ['ignore', output, output] });
}

async function spawnContainerd(
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly [ChildProcess, string]> {
  const address = join(folder, 'containerd.sock');
  const config = join(folder, 'containerd.toml');
  writeFileSync(
    config,
    `version = 2\nroot = "${folder}/containerd"\nstate = "${folder}/containerd-state"\n` +
      `disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${address}"\n`,
  );
  const log = join(folder, 'containerd.log');
  const child = start('containerd', ['--config', config], log, env);
  await waitUntil('containerd', log, child, async () => existsSync(address)).catch(async (error) => {
    await endChild(child);
    throw error;
  });
  return [child, address];
}

/** Starts a containerd of its own, with its data in a folder that goes away with it. */
export async function startContainerd(): Promise<Containerd> {
  const folder = mkdtempSync(join(tmpdir(), 'shp-containerd-'));
  const [child, address] = await spawnContainerd(folder, process.env);
  const stop = async () => {
    await endChild(child);
    unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    address,
    ctr: (...argv) =>
      execFileSync('ctr', ['--address', address, ...argv], { encoding: 'utf8', stdio: 'pipe' }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Starts a dockerd and waits until it answers. It needs root, and neither iptables nor a bridge.
 * `containerd` storage starts a containerd of its own beside it: the one that dockerd starts itself has no content API
 * for others.
 */
export async function startEngine(settings: EngineSettings = {}): Promise<Engine> {
  const folder = mkdtempSync(join(settings.parent ?? tmpdir(), 'shp-engine-'));
  const bin =
    settings.engine === undefined ? [] : [`${settings.engine}/usr/sbin`, `${settings.engine}/usr/bin`];
  const env = { ...process.env, PATH: [...bin, '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':') };
  // A plugin or a context of the user's own would be in the way.
  delete (env as NodeJS.ProcessEnv)['DOCKER_HOST'];
  const dockerd = settings.engine === undefined ? systemDockerd() : `${settings.engine}/usr/sbin/dockerd`;
  if (dockerd === undefined) throw new Error('this machine has no dockerd: scripts/setup test installs it');
  const storage = settings.storage ?? 'overlay2';
  const socket = join(folder, 'docker.sock');
  const dataRoot = join(folder, 'data');
  const children: ChildProcess[] = [];
  const stop = async () => {
    for (const child of children.reverse()) await endChild(child);
    children.length = 0;
    unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const more: string[] = [];
    if (storage === 'containerd') {
      const [containerd, address] = await spawnContainerd(folder, env);
      children.push(containerd);
      const features = join(folder, 'daemon.json');
      writeFileSync(features, '{"features":{"containerd-snapshotter":true}}');
      more.push('--containerd', address, '--config-file', features);
    } else {
      const none = join(folder, 'daemon.json');
      writeFileSync(none, '{}');
      more.push('--config-file', none, '--storage-driver', storage);
    }
    mkdirSync(join(folder, 'exec'));
    const log = join(folder, 'dockerd.log');
    const [program = dockerd, ...before] = [...(settings.prefix ?? []), dockerd];
    const daemon = start(
      program,
      [
        ...before,
        ...['--data-root', dataRoot, '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
        ...['--host', `unix://${socket}`, '--bridge=none', '--iptables=false', '--ip6tables=false'],
        ...more,
        ...(settings.argv ?? []),
      ],
      log,
      env,
    );
    children.push(daemon);
    await waitUntil('dockerd', log, daemon, async () => (await call(socket, 'GET', '/_ping')).status === 200);
    const request: Engine['request'] = (method, path, body) => call(socket, method, path, body);
    const json: Engine['json'] = async (method, path, body) => {
      const answer = await request(method, path, body);
      if (answer.status >= 400)
        throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString().trim()}`);
      return answer.body.length === 0 ? undefined : JSON.parse(answer.body.toString());
    };
    const { Version: version } = await json<{ Version: string }>('GET', '/version');
    return {
      socket,
      host: `unix://${socket}`,
      dataRoot,
      version,
      pid: daemon.pid ?? 0,
      request,
      json,
      load: async (archive) => {
        const answer = await request('POST', '/images/load?quiet=1', archive);
        const text = answer.body.toString();
        if (answer.status >= 400 || text.includes('"errorDetail"')) throw new Error(`load: ${text.trim()}`);
        return text;
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
