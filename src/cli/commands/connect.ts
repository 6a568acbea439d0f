import type { CommandModule } from '../command-module.ts';
import { stationClient } from '../station-client.ts';

export const connect: CommandModule = (program, context) => {
  program
    .command('connect')
    .argument('<addr>', 'a line of `dkr-shp addrs` of the other station: /ip4/…/tcp/…/p2p/… (or /ipfs/…)')
    .summary('connect to a peer')
    .action(async (addr: string) => {
      const at = context();
      const { peer } = await stationClient(at).call('connect', { addr }, at.signal);
      at.result(`connected to ${peer}`, { peer });
    });
};
