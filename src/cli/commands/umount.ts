import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import { meantMountpoint } from '../mountpoint.ts';
import { stationClient } from '../station-client.ts';

interface UmountFlags {
  readonly lazy?: true;
  readonly keep?: true;
}

export const umount: CommandModule = (program, context) => {
  program
    .command('umount')
    .argument('<dir>', 'where an image is mounted')
    .summary('unmount an image')
    .description('What was fetched stays in the station; what was written goes, unless --keep.')
    .option('--lazy', 'although it is in use: it disappears now, and ends with its last user')
    .option('--keep', 'keep what was written, and say where')
    .action((dir: string, flags: UmountFlags) => runUmount(context(), dir, flags));
};

async function runUmount(context: CommandContext, dir: string, flags: UmountFlags): Promise<void> {
  const { mounts } = await stationClient(context).call('mounts', undefined, context.signal);
  const target = await meantMountpoint(
    dir,
    mounts.map((found) => found.target),
  );
  const done = await stationClient(context).call('unmount', { target, ...flags }, context.signal);
  if (done.removed !== undefined) context.note(`note: what was written (${done.removed}) is removed`);
  if (done.kept !== undefined) context.note(`note: what was written is kept at ${done.kept}`);
  context.result(`unmounted ${done.target}`, done);
}
