import type { CommandModule } from '../command-module.ts';
import { stationClient } from '../station-client.ts';

export const trust: CommandModule = (program, context) => {
  const command = program
    .command('trust')
    .summary('whose names and layers are believed')
    .description(
      'The names of trusted stations resolve, in the order in which they were added, and what they signed about layers is taken without reading them first.',
    );
  command
    .command('add')
    .argument('<peer>', 'a peer id: 12D3Koo…')
    .summary('believe a station')
    .action(async (peer: string) => {
      const at = context();
      const all = await stationClient(at).call('trustAdd', { peer }, at.signal);
      at.result(`trusted ${peer}`, all);
    });
  command
    .command('rm')
    .argument('<peer>')
    .summary('believe it no more')
    .action(async (peer: string) => {
      const at = context();
      const all = await stationClient(at).call('trustRemove', { peer }, at.signal);
      at.result(`no longer trusted ${peer}`, all);
    });
  command
    .command('ls')
    .summary('list trusted stations, first trusted most')
    .action(async () => {
      const at = context();
      const all = await stationClient(at).call('trustList', undefined, at.signal);
      at.lines(all, all);
    });
};
