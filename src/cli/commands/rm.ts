import type { CommandModule } from '../command-module.ts';
import { stationClient } from '../station-client.ts';

export const rm: CommandModule = (program, context) => {
  program
    .command('rm')
    .argument('<image>', 'an image of this station: name, id or its beginning, hash of its root')
    .summary('forget an image')
    .description('Its data goes with the next sweep (at once: dkr-shp gc), except what other images need.')
    .action(async (image: string) => {
      const at = context();
      const removed = await stationClient(at).call('remove', { image }, at.signal);
      for (const note of removed.notes) at.note(`note: ${note}`);
      at.result(`removed ${removed.root}`, removed);
    });
};
