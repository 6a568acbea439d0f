import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { GcResult, PullResult, PushResult, StationStatus } from '../../src/observe/control/views.ts';
import { run } from '../image/command.ts';

const COMMAND = new URL('../../bin/dkr-shp', import.meta.url).pathname;

export interface StationOptions {
  /** Folder in which its root is made. */
  readonly parent: string;
  /** Put before each command, e.g. to enter a network namespace. */
  readonly prefix?: readonly string[];
  /** To listen on, on any free port; 127.0.0.1 unless told. */
  readonly address?: string;
  /** 64 hex digits; unless told the network of this process, which keeps stations of other runs out. */
  readonly network?: string;
  /** `name=value` for `start --set`. */
  readonly settings?: readonly string[];
}

/** A station as a user runs it: by the command line alone, on a private network, found by nobody but those it dials. */
export interface CommandStation extends AsyncDisposable {
  readonly root: string;
  readonly pid: number;
  readonly peerId: string;
  /** What others `connect` to. */
  readonly addr: string;
  /** Runs `dkr-shp --root … <argv>`. */
  run(...argv: readonly string[]): Promise<string>;
  status(): Promise<StationStatus>;
  push(archive: string): Promise<PushResult>;
  /** Into the store only, unless more of the command line says otherwise. */
  pull(image: string, ...argv: readonly string[]): Promise<PullResult>;
  /** Removes an image, and its data from disk. */
  forget(image: string): Promise<GcResult>;
  stop(): Promise<void>;
}

const NETWORK = randomBytes(32).toString('hex');

/** Runs the command without a station, e.g. `--help`. */
export function runCommand(...argv: readonly string[]): Promise<string> {
  return run(COMMAND, argv);
}

export async function startStation(options: StationOptions): Promise<CommandStation> {
  const root = mkdtempSync(join(options.parent, 'station-'));
  const [program = COMMAND, ...before] = [...(options.prefix ?? []), COMMAND];
  const at = (...argv: readonly string[]) => run(program, [...before, '--root', root, ...argv]);
  const json = async <T>(...argv: readonly string[]) =>
    JSON.parse(lastLine(await at('--json', ...argv))) as T;
  await at('init', '--net', options.network ?? NETWORK);
  const listen = `network.listen=/ip4/${options.address ?? '127.0.0.1'}/tcp/0`;
  const settings = [listen, 'network.mdns=false', ...(options.settings ?? [])];
  try {
    await at('start', ...settings.flatMap((setting) => ['--set', setting]));
    const { pid, peerId, addrs } = await json<StationStatus>('status');
    const stop = async () => {
      await at('stop', '--all', '--force');
      rmSync(root, { recursive: true, force: true });
    };
    return {
      root,
      pid,
      peerId,
      addr: addrs[0] ?? '',
      run: at,
      status: () => json<StationStatus>('status'),
      push: (archive) => json<PushResult>('push', archive),
      pull: (image, ...argv) =>
        json<PullResult>('pull', ...(argv.length > 0 ? argv : ['--store-only']), image),
      forget: async (image) => {
        await at('rm', image);
        return json<GcResult>('gc', '--cached', '--interrupted');
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await at('stop', '--all', '--force').catch(() => {});
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
}

/** With --json progress may go before the result. */
function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
