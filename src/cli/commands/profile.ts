import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { Fault } from '../../base/fault.ts';
import type { ProfileView } from '../../observe/control/mount-views.ts';
import type { ProfileRequest } from '../../observe/control/requests.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import { figureCount, figureSize } from '../figures.ts';
import { stationClient } from '../station-client.ts';

interface ProfileFlags {
  readonly export?: string;
  readonly import?: string;
  readonly forget?: true;
  readonly platform?: string;
}

export const profile: CommandModule = (program, context) => {
  program
    .command('profile')
    .argument('<image>', 'an image of this station: name, id or its beginning, hash of its root')
    .summary('show what an image uses first')
    .description(
      'The start-up profile of an image lists the content that it uses first, in order: recorded when it is mounted (profile.record), published with the image, and fetched in one batch by the next mount, here or elsewhere.',
    )
    .option('--export <file>', 'write it to a file')
    .option('--import <file>', 'take the one in the file, in place of what is known')
    .option('--forget', 'forget it: the next mount records it anew')
    .option('--platform <os/arch>', "another platform than this machine's")
    .action((image: string, flags: ProfileFlags) => runProfile(context(), image, flags));
};

async function runProfile(context: CommandContext, image: string, flags: ProfileFlags): Promise<void> {
  const actions = (['export', 'import', 'forget'] as const).filter((name) => flags[name] !== undefined);
  if (actions.length > 1) {
    const given = actions.map((name) => `--${name}`).join(' and ');
    throw new Fault('invalid', 'usage', `${given} exclude each other`);
  }
  const client = stationClient(context);
  const request: ProfileRequest = {
    image,
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
  };
  if (flags.export !== undefined) {
    const { content, manifestRoot } = await client.call('profileExport', request, context.signal);
    const bytes = Buffer.from(content, 'base64');
    await writeProfile(flags.export, bytes);
    const document = { manifestRoot, file: flags.export, bytes: bytes.length };
    context.result(`exported the profile of ${image} to ${flags.export}`, document);
  } else if (flags.import !== undefined) {
    const body = createReadStream(await existingFile(flags.import));
    const options = { body, onProgress: () => {}, signal: context.signal };
    const taken = await client.operate('profileImport', request, options);
    context.result(`imported the profile of ${image}: ${contentWords(taken)}`, taken);
  } else if (flags.forget === true) {
    const forgotten = await client.call('profileForget', request, context.signal);
    context.result(`forgot the profile of ${image}`, forgotten);
  } else {
    const found = await client.call('profile', request, context.signal);
    context.lines(profileLines(found), found);
  }
}

function profileLines(found: ProfileView): string[] {
  const sources = {
    recorded: `recorded here, ${figureCount(found.runs, 'start')}`,
    imported: 'imported from a file',
    catalogue: "from another station's catalogue",
  };
  const rows = [
    ['manifest', found.manifestRoot],
    ['profile', found.profile],
    ['source', sources[found.source]],
    ['content', contentWords(found)],
  ] as const;
  return rows.map(([name, value]) => `${name.padEnd(10)} ${value}`);
}

function contentWords({ bytes, ranges }: ProfileView): string {
  return `${figureSize(bytes)} in ${figureCount(ranges, 'range')}`;
}

async function writeProfile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    throw new Fault('denied', 'file-not-writable', `${path} cannot be written: ${(error as Error).message}`, {
      cause: error,
      fields: { path },
    });
  }
}

async function existingFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() === true) return path;
  throw new Fault('not-found', 'no-file', `there is no file ${path}`, { fields: { path } });
}
