import { realpathSync } from 'node:fs';
import { systemClock } from '../../base/clock.ts';
import { readMountSettings } from '../../keeper/mount-settings.ts';
import { runLayout } from '../../keeper/run-layout.ts';
import { openLogger } from '../../observe/open-logger.ts';
import { createSyscalls } from '../../syscalls/koffi-syscalls.ts';
import { openKeeperContact } from './keeper-contact.ts';
import { openMountServer } from './mount-server.ts';

export interface RunMountServerOptions {
  readonly root: string;
  /** The FUSE connection had a mount server before. */
  readonly resume: boolean;
  /** Where the keeper put the open /dev/fuse. */
  readonly device: number;
}

/** Time for what is in hand; after it the next mount server is asked again anyway. */
const DRAIN_MS = 3_000;

/** Runs the mount server of a root as this process. Never returns: see {@link end}. */
export async function runMountServer({ root, resume, device }: RunMountServerOptions): Promise<never> {
  const at = realpathSync(root);
  const layout = runLayout(at);
  const mount = readMountSettings(layout.mountSettings);
  const { log } = openLogger({ level: mount.logLevel, file: layout.mountServerLog });
  const died = (error: unknown): never => {
    log.error({ error: String(error), stack: (error as Error)?.stack }, 'the mount server cannot go on');
    return end();
  };
  process.on('uncaughtException', died);
  process.on('unhandledRejection', died);
  // A terminal's or a service manager's signals are for the station; SIGTERM is the planned end.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

  const server = await openMountServer(
    { syscalls: createSyscalls(), clock: systemClock, logger: log },
    { root: at, layout, device, resumed: resume, mount },
  );
  process.once('SIGTERM', () => {
    log.info({}, 'mount server ends on purpose');
    setTimeout(end, DRAIN_MS);
    server.drain().catch(() => end());
  });
  const keeper = openKeeperContact({ logger: log }, { root: at, socket: layout.keeperSocket, device });
  log.info({ pid: process.pid, resume }, 'mount server is ready');
  const how = await server.served;
  log.info({ how }, 'mount server ends');
  if (how === 'ended') await keeper.ended();
  return end();
}

/** process.exit and Worker.terminate wait for a thread that blocks in read(2), which SIGKILL does not. */
function end(): never {
  process.kill(process.pid, 'SIGKILL');
  // It is delivered before kill(2) returns.
  throw new Error('unreachable');
}
