import { systemClock } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { MountResult, MountsView } from '../../observe/control/mount-views.ts';
import type { MountRequest } from '../../observe/control/requests.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import { hereWords, imageName } from '../mount-rows.ts';
import { findMountpoint } from '../mountpoint.ts';
import { createProgressView } from '../progress/progress-view.ts';
import { stationClient } from '../station-client.ts';
import { renderTable } from '../table.ts';

interface MountFlags {
  readonly rw?: true;
  readonly suid?: true;
  readonly dev?: true;
  readonly from?: string;
  readonly platform?: string;
}

export const mount: CommandModule = (program, context) => {
  program
    .command('mount')
    .argument('[image]', 'as for pull; without image and directory: list what is mounted')
    .argument('[dir]', 'an empty directory')
    .summary('mount an image before it is here')
    .description(
      'Shows the files of an image at a directory at once and fetches them as they are read, the rest behind that. An id needs a trusted station, or --from, because its content is used before all of it is verified; /ipfs/… and hashes do not. Read-only, without suid bits and devices, unless told.',
    )
    .option('--rw', 'writable: what is written lies in a folder of the station and goes with the umount')
    .option('--suid', 'honour suid bits and file capabilities')
    .option('--dev', 'honour device files')
    .option('--platform <os/arch>', "another platform than this machine's")
    .option('--from <peer>', 'ask this peer only, and take its answer')
    .action((image: string | undefined, dir: string | undefined, flags: MountFlags) =>
      image === undefined ? listMounts(context()) : runMount(context(), image, dir, flags),
    );
};

async function runMount(
  context: CommandContext,
  reference: string,
  dir: string | undefined,
  flags: MountFlags,
): Promise<void> {
  if (dir === undefined) {
    throw new Fault('invalid', 'usage', `give a directory: dkr-shp mount ${reference} <dir>`);
  }
  const { mounts } = await stationClient(context).call('mounts', undefined, context.signal);
  const target = await findMountpoint(
    dir,
    context.root,
    mounts.map((found) => found.target),
  );
  const request: MountRequest = {
    reference,
    target,
    ...(flags.rw === true ? { writable: true } : {}),
    ...(flags.suid === true ? { suid: true } : {}),
    ...(flags.dev === true ? { dev: true } : {}),
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
  };
  const view = createProgressView(context.terminal.err, context.json, systemClock);
  let mounted: MountResult;
  try {
    mounted = await stationClient(context).operate('mount', request, {
      onProgress: view.update,
      signal: context.signal,
    });
  } finally {
    view.end();
  }
  for (const note of notesOf(mounted)) context.note(`note: ${note}`);
  context.result(`mounted ${mounted.address} at ${mounted.target}`, mounted);
}

function notesOf({ complete, profile, upper, mode, modeWhy }: MountResult): string[] {
  return [
    ...(complete ? ['all of it is here already'] : []),
    ...(profile === 'used' ? ['what it uses first is known (its start-up profile) and fetched first'] : []),
    ...(profile === 'recording' ? ['what it uses first is being recorded (its start-up profile)'] : []),
    ...(upper === undefined
      ? []
      : [`what is written goes to ${upper}; umount removes it, umount --keep keeps it`]),
    ...(mode === 'read' && modeWhy !== undefined ? [`reads go through the mount server: ${modeWhy}`] : []),
  ];
}

async function listMounts(context: CommandContext): Promise<void> {
  const found = await stationClient(context).call('mounts', undefined, context.signal);
  context.lines(found.mounts.length === 0 ? [] : mountTable(found), found);
}

function mountTable({ mounts }: MountsView): string[] {
  const rows = mounts.map(({ target, image, writable, mode }) => [
    target,
    imageName(image),
    writable ? 'rw' : 'ro',
    mode,
    hereWords(image),
  ]);
  return renderTable(['AT', 'IMAGE', '', 'READS', 'CONTENT'], rows);
}
