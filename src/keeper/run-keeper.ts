import { mkdirSync, realpathSync } from 'node:fs';
import { Fault } from '../base/fault.ts';
import { openLogger } from '../observe/open-logger.ts';
import { createSyscalls } from '../syscalls/koffi-syscalls.ts';
import { runKeeper } from './keeper.ts';
import { readMountSettings } from './mount-settings.ts';
import { processEntry } from './process-entry.ts';
import { runLayout } from './run-layout.ts';

/** Runs the keeper of a root as this process. Returns the exit code. */
export async function runKeeperProcess(root: string): Promise<number> {
  const at = realpathSync(root);
  const layout = runLayout(at);
  mkdirSync(layout.run, { recursive: true, mode: 0o700 });
  const { log, close } = openLogger({
    level: readMountSettings(layout.mountSettings).logLevel,
    file: layout.keeperLog,
  });
  // It ends when there is nothing to keep, or by SIGKILL; a terminal's or a service manager's signal is for the station.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {});
  try {
    await runKeeper(
      { syscalls: createSyscalls(), logger: log },
      { root: at, mountServer: processEntry('mount-server', ['--root', at]) },
    );
    return 0;
  } catch (error) {
    if (error instanceof Fault && error.code === 'locked') return 0;
    log.error({ error: String(error), stack: (error as Error).stack }, 'the keeper could not run');
    return 1;
  } finally {
    close();
  }
}
