import type { CommandModule } from '../command-module.ts';
import { stationClient } from '../station-client.ts';

/** One address a line, as announced; `--json` has latency, bytes and what a peer was dropped for. */
export const peers: CommandModule = (program, context) => {
  program
    .command('peers')
    .summary('list connected peers')
    .action(async () => {
      const at = context();
      const found = await stationClient(at).call('peers', undefined, at.signal);
      at.lines(
        found.map(({ addr }) => addr),
        found,
      );
    });
};
