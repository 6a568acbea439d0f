import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FaultRecord } from '../../../src/base/fault.ts';
import type { Progress } from '../../../src/observe/progress.ts';

const ENTRY = fileURLToPath(new URL('../../../src/bin/dkr-shp.ts', import.meta.url));

/** Loopback only, any port, and nobody is looked for. */
const QUIET = ['network.listen=/ip4/127.0.0.1/tcp/0', 'network.mdns=false', 'network.bootstrap='];

export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Readable;
  readonly uid?: number;
  readonly gid?: number;
}

/** A command line that runs. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly done: Promise<CommandResult>;
  /** Resolves when the progress shows so many content bytes, or the command has ended. Needs `--json`. */
  reached(bytes: number): Promise<void>;
  /** Answers stderr so far when it holds the text. @throws Error when the command ends without it */
  said(text: string): Promise<string>;
}

/** One station of a test, driven by the command line alone. */
export interface TestStation {
  readonly root: string;
  /** The peer id. */
  readonly id: string;
  run(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  begin(args: readonly string[], options?: CommandOptions): RunningCommand;
  /** stdout of a command that must succeed, without the last newline. */
  ok(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** The document of `--json <args>`, which must succeed. */
  json<T>(args: readonly string[], options?: CommandOptions): Promise<T>;
  /** The fault of `--json <args>`, which must fail, and its exit code. */
  fault(args: readonly string[], options?: CommandOptions): Promise<FaultRecord & { exit: number | null }>;
  /** @param set settings of this run; without them it is what `init` was given */
  start(...set: string[]): Promise<number>;
  stop(): Promise<void>;
  /** The pid of the station's process; undefined when none runs. */
  pid(): number | undefined;
  /** Sends a signal to the station's process; waits until it is gone after SIGKILL. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Its first address, with `/p2p/`. */
  addr(): Promise<string>;
  connect(...others: TestStation[]): Promise<void>;
  log(): string;
}

export interface StationSettings {
  /** For `init --net`; absent: the public network. */
  readonly net?: string;
  /** Of `init --set`, over loopback-only ones. */
  readonly set?: readonly string[];
  /** Where its root lies; default in the group's folder. */
  readonly root?: string;
}

/** Stations that end together. */
export interface StationGroup {
  readonly folder: string;
  /** Runs `init`; the station is not started. */
  init(name: string, settings?: StationSettings): Promise<TestStation>;
  /** Inits and starts. */
  start(name: string, settings?: StationSettings): Promise<TestStation>;
  /** Kills every process whose command line names this group's folder, by its pid. */
  kill(): Promise<void>;
  /** Kills them and removes the folder. */
  end(): Promise<void>;
}

/** 64 hex digits: a private network that costs no key stretching. */
export const NET = 'ab'.repeat(32);

/** @param parent where the folder is made; default the system's temp folder */
export function stationGroup(label: string, parent = tmpdir()): StationGroup {
  const folder = mkdtempSync(join(parent, `shp-${label}-`));
  const group: StationGroup = {
    folder,
    async init(name, { net, set = [], root = join(folder, name) } = {}) {
      const network = net === undefined ? [] : ['--net', net];
      const settings = [...QUIET, ...set].flatMap((one) => ['--set', one]);
      const result = await runCli(['--json', '--root', root, 'init', ...network, ...settings]);
      if (result.code !== 0) throw new Error(`init of ${name} failed: ${result.err}`);
      return testStation(root, JSON.parse(result.out).peerId);
    },
    async start(name, settings) {
      const station = await group.init(name, settings);
      await station.start();
      return station;
    },
    async kill() {
      for (const pid of processesNaming(`${folder}/`)) await end(pid);
    },
    async end() {
      await group.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return group;
}

function testStation(root: string, id: string): TestStation {
  const station: TestStation = {
    root,
    id,
    run: (args, options) => runCli(['--root', root, ...args], options),
    begin: (args, options) => beginCli(['--root', root, ...args], options),
    async ok(args, options) {
      const { code, out, err } = await station.run(args, options);
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err}`);
      return out.trimEnd();
    },
    json: async (args, options) => JSON.parse(await station.ok(['--json', ...args], options)),
    async fault(args, options) {
      const { code, out, err } = await station.run(['--json', ...args], options);
      const last = err.trimEnd().split('\n').at(-1) ?? '';
      if (code === 0 || !last.startsWith('{"event":"fault"')) {
        throw new Error(`${args.join(' ')} ended with ${code} and no fault: ${out}${err}`);
      }
      return { ...(JSON.parse(last).fault as FaultRecord), exit: code };
    },
    async start(...set) {
      const { pid } = await station.json<{ pid: number }>(['start', ...set.flatMap((one) => ['--set', one])]);
      return pid;
    },
    async stop() {
      await station.ok(['stop']);
    },
    pid: () => processesNaming('bin/station.ts', `--root ${root} `)[0],
    async signal(name) {
      const pid = station.pid();
      if (pid === undefined) throw new Error(`no station runs at ${root}`);
      if (name === 'SIGKILL') await end(pid);
      else process.kill(pid, name);
    },
    addr: async () => (await station.ok(['addrs'])).split('\n')[0] as string,
    async connect(...others) {
      for (const other of others) await station.ok(['connect', await other.addr()]);
    },
    log: () => readFileSync(join(root, 'station.log'), 'utf8'),
  };
  return station;
}

/** Runs `dkr-shp` from source as a process of its own, with no Docker engine and no root from the environment. */
export function runCli(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return beginCli(args, options).done;
}

export function beginCli(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { env, cwd = tmpdir(), input = '', uid, gid } = options;
  const child = spawn(process.execPath, [ENTRY, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', DOCKER_HOST: 'unix:///nonexistent/docker.sock', ...env },
    stdio: 'pipe',
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  let out = '';
  let err = '';
  let line = '';
  let bytes = 0;
  const layers = new Map<number, number>();
  const waiting = new Set<() => void>();
  const take = (event: Progress): void => {
    if (event.event === 'layer') layers.set(event.index, event.bytes);
    const sum = [...layers.values()].reduce((all, one) => all + one, 0);
    bytes = Math.max(bytes, sum, event.event === 'total' ? event.bytes : 0);
    for (const check of [...waiting]) check();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    for (const check of [...waiting]) check();
    const lines = (line + text).split('\n');
    line = lines.pop() as string;
    for (const one of lines) if (one.startsWith('{"event":')) take(JSON.parse(one));
  });
  if (typeof input === 'string') {
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  } else pipeline(input, child.stdin, () => {});
  const done = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  const until = async (holds: () => boolean): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (holds()) resolve();
    };
    waiting.add(check);
    check();
    await Promise.race([promise, done]);
    waiting.delete(check);
  };
  return {
    child,
    done,
    reached: (wanted) => until(() => bytes >= wanted),
    async said(text) {
      await until(() => err.includes(text));
      if (!err.includes(text)) throw new Error(`${args.join(' ')} did not say ${text}: ${err}`);
      return err;
    },
  };
}

/** Pids of living processes with all of `texts` in their command line, this one left out. */
function processesNaming(...texts: readonly string[]): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (texts.every((text) => command.includes(text))) found.push(Number(name));
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** Kills a process and waits until its last thread is gone, or a zombie, whose parent is not ours. */
async function end(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
    const ended = (thread: string) =>
      /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'));
    while (!readdirSync(`/proc/${pid}/task`).every(ended)) await sleep(10);
  } catch {
    // It has ended.
  }
}

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) * 1024;
}
