import type { CommandModule } from '../command-module.ts';
import { figureCount, figureSize } from '../figures.ts';
import { stationClient } from '../station-client.ts';

interface GcFlags {
  readonly cached?: true;
  readonly interrupted?: true;
}

export const gc: CommandModule = (program, context) => {
  program
    .command('gc')
    .summary('give back the space of what nothing needs')
    .option('--cached', 'also drop images that nothing pins')
    .option('--interrupted', 'also what half-done pushes and pulls left; they then begin anew')
    .action(async (flags: GcFlags) => {
      const at = context();
      const done = await stationClient(at).call('gc', { ...flags }, at.signal);
      const held = done.heldBytes > 0 ? `; ${figureSize(done.heldBytes)} kept for work that is not done` : '';
      at.result(
        `freed ${figureSize(done.bytes)}: ${figureCount(done.objects, 'object')}, ${figureCount(done.blocks, 'block')}${held}`,
        done,
      );
    });
};
