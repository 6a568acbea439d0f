import { InvalidArgumentError } from 'commander';
import { systemClock } from '../../base/clock.ts';
import type { PushResult } from '../../observe/control/views.ts';
import { collect } from '../collect-option.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import { createProgressView } from '../progress/progress-view.ts';
import { findSource } from '../sources/find-source.ts';
import { stationClient } from '../station-client.ts';

interface PushFlags {
  readonly platform?: string;
  readonly name?: readonly string[];
  readonly copies?: number;
}

export const push: CommandModule = (program, context) => {
  program
    .command('push')
    .argument('<image>', 'docker id or name; ./image.tar; oci:./layout[:tag]; - for a tar on stdin')
    .summary('publish given docker image on this host')
    .description(
      'Publishes an image of the Docker engine (DOCKER_HOST is honoured), of a docker-archive or OCI archive (docker-archive:x, oci-archive:x, or just the path), or of an OCI layout folder. What is here already is not written again; a push that was interrupted goes on where it stopped.',
    )
    .option('--name <name>', 'publish it under this name too (may be repeated)', collect)
    .option(
      '--platform <os/arch>',
      'of a multi-platform image only this one, e.g. linux/arm64; all: every one that is there',
    )
    .option('--copies <n>', 'wait until so many other stations hold it', wholeNumber)
    .action((image: string, flags: PushFlags) => runPush(context(), image, flags));
};

async function runPush(context: CommandContext, image: string, flags: PushFlags): Promise<void> {
  const client = stationClient(context);
  // Before an engine is made to pack a gigabyte: is there a station to take it?
  await client.call('addrs', undefined, context.signal);
  const source = await findSource(image, flags.name ?? [], context);
  const view = createProgressView(context.terminal.err, context.json, systemClock);
  let result: PushResult;
  try {
    result = await stationClient(context).operate(
      'push',
      {
        ...source.request,
        ...(flags.platform === undefined ? {} : { platform: flags.platform }),
        ...(flags.copies === undefined ? {} : { copies: flags.copies }),
      },
      { body: await source.open(context.signal), onProgress: view.update, signal: context.signal },
    );
  } finally {
    view.end();
  }
  if (result.network === 'public') context.note(reachNote(result));
  context.result(`published as ${result.address}`, result);
}

/** Until addresses are found by hash, a peer has to be connected to fetch from. */
function reachNote({ addrs }: PushResult): string {
  const how = addrs[0] === undefined ? '' : `; on the other machine: dkr-shp connect ${addrs[0]}`;
  return `note: on the public network this is reachable by connected peers only${how}`;
}

export function wholeNumber(value: string): number {
  if (!/^\d{1,6}$/.test(value)) throw new InvalidArgumentError('give a whole number.');
  return Number(value);
}
