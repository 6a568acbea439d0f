import type { CommandModule } from '../command-module.ts';
import { stationClient } from '../station-client.ts';

export const addrs: CommandModule = (program, context) => {
  program
    .command('addrs')
    .summary("list this station's addresses")
    .action(async () => {
      const at = context();
      const found = await stationClient(at).call('addrs', undefined, at.signal);
      at.lines(found, found);
    });
};
