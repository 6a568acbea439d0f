import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../base/fault.ts';
import { stationTag } from '../../config/identity-file.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import { runningStation } from '../running-station.ts';
import { stationClient } from '../station-client.ts';

const POLL_MS = 25;
/** A station ends in seconds; one that does not is said so. */
const STOP_MS = 60_000;

export const stop: CommandModule = (program, context) => {
  program
    .command('stop')
    .summary('stop the shp station')
    .description(
      'Stops the station and waits until it has ended. What was stored stays; a half-done pull goes on later.',
    )
    .action(() => runStop(context()));
};

async function runStop(context: CommandContext): Promise<void> {
  const running = await runningStation(context);
  if (running === undefined) {
    context.result('no shp station is running', { stopped: false });
    return;
  }
  const { pid, peerId } = running;
  await stationClient(context).call('stop', {}, context.signal);
  for (const until = performance.now() + STOP_MS; isAlive(pid); ) {
    if (performance.now() > until) {
      throw new Fault('unavailable', 'still-stopping', `the station (process ${pid}) has not ended yet`, {
        fields: { pid },
      });
    }
    await delay(POLL_MS, undefined, { signal: context.signal });
  }
  context.result(`stopped shp station (registry) ${stationTag(peerId)}`, { peerId, pid, stopped: true });
}

/** A zombie has ended: in a container nothing may ever reap it. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the state is the first field behind it (proc_pid_stat(5)).
    return !/^[ZXx]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
