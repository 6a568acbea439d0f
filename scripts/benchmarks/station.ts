import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PullResult, PushResult, StationStatus } from '../../src/observe/control/views.ts';
import { run } from '../image/command.ts';

const COMMAND = new URL('../../bin/dkr-shp', import.meta.url).pathname;

export interface StationOptions {
  /** Folder in which its root is made. */
  readonly parent: string;
  /** A network namespace to run in; the listen address must be one of it. */
  readonly namespace?: string;
  readonly address?: string;
  /** `name=value` for `start --set`. */
  readonly settings?: readonly string[];
}

/** A station as a user runs it: by the command line alone, on a private network, found by nobody but those it dials. */
export interface BenchStation extends AsyncDisposable {
  readonly root: string;
  readonly pid: number;
  readonly peerId: string;
  /** What others `connect` to. */
  readonly addr: string;
  /** Runs `dkr-shp --root … <argv>`. */
  run(...argv: readonly string[]): Promise<string>;
  status(): Promise<StationStatus>;
  push(archive: string): Promise<PushResult>;
  /** Into the store only. */
  pull(image: string): Promise<PullResult>;
  /** Removes an image, and its data from disk. */
  forget(image: string): Promise<void>;
  stop(): Promise<void>;
}

/** The private network of one bench run; it keeps stations of other runs out. */
const NETWORK = Buffer.from(Array.from({ length: 32 }, () => Math.floor(Math.random() * 256))).toString(
  'hex',
);

/** Runs the command without a station, e.g. `--help`. */
export function runCommand(...argv: readonly string[]): Promise<string> {
  return run(COMMAND, argv);
}

export async function startStation(options: StationOptions): Promise<BenchStation> {
  const root = mkdtempSync(join(options.parent, 'station-'));
  const prefix = options.namespace === undefined ? [] : ['ip', 'netns', 'exec', options.namespace];
  const [program = COMMAND, ...before] = [...prefix, COMMAND];
  const at = (...argv: readonly string[]) => run(program, [...before, '--root', root, ...argv]);
  const json = async <T>(...argv: readonly string[]) =>
    JSON.parse(lastLine(await at('--json', ...argv))) as T;
  await at('init', '--net', NETWORK);
  const listen = `network.listen=/ip4/${options.address ?? '127.0.0.1'}/tcp/0`;
  const settings = [listen, 'network.mdns=false', ...(options.settings ?? [])];
  try {
    await at('start', ...settings.flatMap((setting) => ['--set', setting]));
    const { pid, peerId, addrs } = await json<StationStatus>('status');
    const stop = async () => {
      await at('stop');
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
      pull: (image) => json<PullResult>('pull', '--store-only', image),
      forget: async (image) => {
        await at('rm', image);
        await at('gc', '--cached', '--interrupted');
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await at('stop').catch(() => {});
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
}

/** With --json progress may go before the result. */
function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
