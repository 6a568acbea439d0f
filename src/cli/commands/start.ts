import { readIdentity, stationTag } from '../../config/identity-file.ts';
import { loadSettings } from '../../config/settings.ts';
import { collect } from '../collect-option.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import { runningStation } from '../running-station.ts';
import { becomeStation, startStation } from '../start-station.ts';

interface StartFlags {
  readonly foreground?: boolean;
  readonly set?: readonly string[];
}

export const start: CommandModule = (program, context) => {
  program
    .command('start')
    .summary('start the shp station')
    .description(
      'Starts the station in the background and returns when it is ready; it logs to <root>/station.log. The 16 hex digits are the first of the sha256 of its peer id.',
    )
    .option('--foreground', 'stay in the foreground and log to stderr, for systemd and containers')
    .option('--set <name=value>', 'a setting for this run (may be repeated); see docs/settings.md', collect)
    .action((flags: StartFlags) => runStart(context(), flags));
};

async function runStart(context: CommandContext, flags: StartFlags): Promise<void> {
  // Said here, before a process is made: no identity, a wrong setting.
  const { peerId } = await readIdentity(context.root);
  await loadSettings(context.root, flags.set);
  const running = await runningStation(context);
  if (running !== undefined) {
    context.result(`already running: shp station (registry) ${stationTag(running.peerId)}`, {
      peerId: running.peerId,
      pid: running.pid,
      started: false,
    });
    return;
  }
  if (flags.foreground === true) becomeStation(context, flags.set ?? []);
  const { pid } = await startStation(context, flags.set ?? []);
  context.result(`started shp station (registry) ${stationTag(peerId)}`, { peerId, pid, started: true });
}
