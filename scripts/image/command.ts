import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program to its end and answers what it printed on stdout. stderr goes nowhere unless it fails.
 * @throws Error with the command line and the end of what it printed, when it does not exit with 0
 */
export async function run(
  program: string,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(program, argv, {
    cwd: options.cwd,
    env: options.env === undefined ? process.env : { ...process.env, ...options.env },
    signal: options.signal,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  let tail = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-4000);
  });
  // A program that reads no input may be gone before it is written; its exit code says what matters.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, killedBy) => resolve(exit ?? killedBy ?? 'unknown'));
  });
  const text = Buffer.concat(out).toString();
  if (code !== 0) {
    throw new Error(
      `${program} ${argv.join(' ')} ended with ${code}:\n${(tail || text.slice(-4000)).trim()}`,
    );
  }
  return text;
}
