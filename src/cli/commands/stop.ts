import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../base/fault.ts';
import { stationTag } from '../../config/identity-file.ts';
import { readMountTable } from '../../config/mount-table.ts';
import { rootLayout } from '../../config/root-layout.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import { runningStation } from '../running-station.ts';
import { stationClient } from '../station-client.ts';

const POLL_MS = 25;
/** A station ends in seconds; one that does not is said so. */
const STOP_MS = 60_000;

interface StopFlags {
  readonly all?: true;
  readonly force?: true;
}

export const stop: CommandModule = (program, context) => {
  program
    .command('stop')
    .summary('stop the shp station')
    .description(
      'Stops the station and waits until it has ended. What was stored stays; a half-done pull goes on later. Images that are mounted stay mounted: what is here is served on, reads of what is not wait for the next start (mount.wait).',
    )
    .option('--all', 'also what serves mounts; refused while anything is mounted')
    .option('--force', 'with --all: unmount everything, in use or not, and say what')
    .action((flags: StopFlags) => runStop(context(), flags));
};

async function runStop(context: CommandContext, flags: StopFlags): Promise<void> {
  if (flags.force === true && flags.all !== true) {
    throw new Fault('invalid', 'usage', '--force goes with --all');
  }
  const running = await runningStation(context);
  if (running === undefined) {
    if (flags.all === true) await refuseServed(context);
    context.result('no shp station is running', { stopped: false });
    return;
  }
  const { pid, peerId } = running;
  const { left, unmounted } = await stationClient(context).call('stop', { ...flags }, context.signal);
  for (const { target, kept } of unmounted) {
    const where = kept === undefined ? '' : `; what was written is kept at ${kept}`;
    context.note(`note: unmounted ${target}${where}`);
  }
  for (const until = performance.now() + STOP_MS; isAlive(pid); ) {
    if (performance.now() > until) {
      throw new Fault('unavailable', 'still-stopping', `the station (process ${pid}) has not ended yet`, {
        fields: { pid },
      });
    }
    await delay(POLL_MS, undefined, { signal: context.signal });
  }
  if (left.length > 0) {
    context.note(
      `note: still mounted: ${left.join(', ')}; what is here is served on, the rest waits for the next start`,
    );
  }
  const document = { peerId, pid, stopped: true, left, unmounted };
  context.result(`stopped shp station (registry) ${stationTag(peerId)}`, document);
}

/** Only a station can ask what serves its mounts to end. */
async function refuseServed(context: CommandContext): Promise<void> {
  const fuse = `${rootLayout(context.root).root}/run/fuse`;
  const mounts = await readMountTable();
  if (!mounts.some(({ mountpoint }) => mountpoint === fuse)) return;
  const again = `dkr-shp${context.rootOption}`;
  throw new Fault(
    'unavailable',
    'station-not-running',
    `no shp station is running, but its mounts are served on: run ${again} start, then ${again} stop --all`,
    { fields: { fuse } },
  );
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
