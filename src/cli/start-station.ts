import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Fault, fromFaultRecord } from '../base/fault.ts';
import { rootLayout } from '../config/root-layout.ts';
import { parseReadyLine } from '../observe/ready-line.ts';
import type { CommandContext } from './command-context.ts';

/** The descriptor that the child finds the pipe at: behind stdin, stdout, stderr. */
const READY_FD = 3;
/**
 * Blocks on their way are memory outside V8's heap that goes when their small owners are collected: with a young
 * generation of 4 MiB in place of 16 that is often enough (a pull of 2 GB takes 190 MB more than the station at rest, not
 * 280). With V8's own first limit of the old generation the rest is collected whole a hundred times in a pull of 300 MB,
 * half of the seeder's time (3.3 s of 2 cores); with 64 MiB it is 1.5 s.
 */
const NODE_FLAGS = ['--max-semi-space-size=4', '--initial-old-space-size=64'];
/** glibc gives freed blocks back from one arena better than from eight: 15 MB less at the end of such a pull. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };
/** When the user is told that it takes long (a check of the store after power loss may). */
const SLOW_MS = 10_000;
/** A station that could not start has this long to end by itself. */
const END_MS = 5_000;

/**
 * Runs the station as a process of its own that outlives this one, and waits until it is ready.
 * @throws Fault what the station could not start for; `unavailable/start-failed` with the end of its log
 */
export async function startStation(
  context: CommandContext,
  set: readonly string[],
): Promise<{ readonly pid: number }> {
  const layout = rootLayout(context.root);
  // What the runtime itself writes before and after the log is open (a crash's stack) goes the same way.
  const log = openSync(layout.log, 'a', 0o600);
  const child = spawn(
    process.execPath,
    [...NODE_FLAGS, context.stationEntry, ...stationArguments(context, set, READY_FD)],
    {
      cwd: '/',
      env: { ...process.env, ...ENVIRONMENT },
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    },
  );
  closeSync(log);
  const slow = setTimeout(() => context.note(`still starting; see ${layout.log}`), SLOW_MS);
  const stopped = () => child.kill('SIGTERM');
  context.signal.addEventListener('abort', stopped, { once: true });
  try {
    const line = await firstLine(child.stdio[READY_FD] as Readable);
    const ready = line === undefined ? undefined : parseReadyLine(line);
    if (ready?.event === 'ready') return { pid: ready.pid };
    if (ready?.event === 'fault') {
      await ended(child);
      throw fromFaultRecord(ready.fault);
    }
    context.signal.throwIfAborted();
    throw new Fault('unavailable', 'start-failed', `the station did not start: ${lastLogLine(layout.log)}`, {
      fields: { log: layout.log },
    });
  } finally {
    clearTimeout(slow);
    context.signal.removeEventListener('abort', stopped);
    (child.stdio[READY_FD] as Readable).destroy();
    child.unref();
  }
}

/** A station that could not start is gone when that is said: its locks and ports are free for the next try. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await once(child, 'exit');
  clearTimeout(late);
}

/** This process goes on as the station: systemd and container engines see one process, whose signals it gets. */
export function becomeStation(context: CommandContext, set: readonly string[]): never {
  const node = process.execPath;
  const args = [node, ...NODE_FLAGS, context.stationEntry, ...stationArguments(context, set, undefined)];
  if (process.execve === undefined) {
    throw new Fault(
      'unsupported',
      'no-execve',
      `this Node (${process.version}) cannot run --foreground: use 22.15 or newer`,
    );
  }
  return process.execve(node, args, { ...process.env, ...ENVIRONMENT });
}

function stationArguments(
  context: CommandContext,
  set: readonly string[],
  readyFd: number | undefined,
): string[] {
  return [
    '--root',
    rootLayout(context.root).root,
    ...set.flatMap((setting) => ['--set', setting]),
    ...(readyFd === undefined ? [] : ['--ready-fd', String(readyFd)]),
  ];
}

/** `undefined` when the pipe ends first: the process ended. */
async function firstLine(stream: Readable): Promise<string | undefined> {
  for await (const line of createInterface({ input: stream })) return line;
  return undefined;
}

function lastLogLine(path: string): string {
  const lines = readFileSync(path, 'utf8').slice(-4096).trimEnd().split('\n');
  return `${lines.at(-1) ?? ''} (all of it: ${path})`;
}
