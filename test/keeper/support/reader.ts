import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A process that reads a file and tells what it read. */
export interface Reader {
  readonly child: ChildProcess;
  /** The sha256 of all it read. @throws Error with what the program said */
  readonly digest: Promise<string>;
  /** How it ended: exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Reads as any program does: open, read to the end, close. */
export function readFileBy(path: string): Reader {
  const child = spawn('sha256sum', ['--', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals);
  const digest = ended.then((how) => {
    if (how !== 0) throw new Error(`${how}: ${err}`);
    return out.slice(0, 64);
  });
  digest.catch(() => {});
  return { child, digest, ended };
}
