import { readFile } from 'node:fs/promises';
import { systemClock } from '../base/clock.ts';
import { readIdentity } from '../config/identity-file.ts';
import { parseKeyFile } from '../config/network-key.ts';
import { checkRoot } from '../config/root-checks.ts';
import { rootLayout } from '../config/root-layout.ts';
import { loadSettings } from '../config/settings.ts';
import { VERSION } from '../config/version.ts';
import type { SpawnSpec } from '../keeper/keeper-messages.ts';
import { openLogger } from '../observe/open-logger.ts';
import { tellReady } from '../observe/ready-line.ts';
import { composeStation } from './compose.ts';

export interface RunStationOptions {
  readonly root: string;
  /** `name=value`, stronger than the settings file. */
  readonly set: readonly string[];
  /** Told when the doors answer; absent in the foreground. */
  readonly readyFd?: number;
}

/** A stop that takes longer has hung: what is durable is so already. */
const STOP_MS = 20_000;

/** Runs the station until it is told to stop, by a client or a signal. */
export async function runStation({ root, set, readyFd }: RunStationOptions): Promise<void> {
  const layout = rootLayout(root);
  await checkRoot(layout.root);
  const settings = await loadSettings(layout.root, set);
  const identity = await readIdentity(layout.root);
  const networkKey = await readNetworkKey(layout.networkKey);
  const { log, close } = openLogger({
    level: settings['log.level'],
    ...(readyFd === undefined ? {} : { file: layout.log }),
  });
  const { promise: asked, resolve: askStop } = Promise.withResolvers<string>();
  process.once('SIGTERM', () => askStop('SIGTERM'));
  process.once('SIGINT', () => askStop('SIGINT'));
  process.on('unhandledRejection', (reason) => {
    log.error({ error: String(reason), stack: (reason as Error)?.stack }, 'unhandled rejection');
  });
  try {
    const station = await composeStation({
      root: layout.root,
      settings,
      identity,
      networkKey,
      log,
      clock: systemClock,
      // In the foreground whoever started it watches it: systemd, a container engine, a person.
      ...(readyFd === undefined ? {} : { respawn: thisProcess() }),
      onStop: () => askStop('stop'),
    });
    log.info(
      { peerId: station.peerId, version: VERSION, root: layout.root, pid: process.pid },
      'station is ready',
    );
    if (readyFd !== undefined) tellReady(readyFd, station.peerId);
    const reason = await asked;
    log.info({ reason }, 'station stops');
    const late = setTimeout(() => {
      log.error({}, 'the station did not stop in time');
      process.exit(1);
    }, STOP_MS);
    await station.stop();
    clearTimeout(late);
    log.info({}, 'station stopped');
  } catch (error) {
    log.error({ error: String(error), stack: (error as Error).stack }, 'the station could not run');
    throw error;
  } finally {
    close();
  }
  // timers of libraries must not keep a stopped station alive
  process.exit(0);
}

async function readNetworkKey(file: string): Promise<Uint8Array | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return parseKeyFile(bytes, file).psk;
}

/** How this very process was started. */
function thisProcess(): SpawnSpec {
  return {
    command: process.execPath,
    args: [...process.execArgv, ...process.argv.slice(1)],
    env: { ...(process.env as Record<string, string>) },
  };
}
