import { systemClock } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { ExportRequest, PullRequest } from '../../observe/control/requests.ts';
import type { PullResult } from '../../observe/control/views.ts';
import { collect } from '../collect-option.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import { engineStoreKind } from '../engine/engine-store.ts';
import { findEngine } from '../engine/find-engine.ts';
import { createProgressView } from '../progress/progress-view.ts';
import { stationClient } from '../station-client.ts';
import { parseArchiveTarget, writeArchive } from '../targets/archive-target.ts';
import { loadIntoEngine } from '../targets/engine-target.ts';
import { exportPlatform } from '../targets/export-platform.ts';
import { runLazyPull } from './pull-lazy.ts';

interface PullFlags {
  readonly platform?: string;
  readonly from?: string;
  readonly cached?: boolean;
  readonly output?: string;
  readonly format?: string;
  readonly storeOnly?: boolean;
  readonly name?: readonly string[];
  readonly lazy?: true;
}

export const pull: CommandModule = (program, context) => {
  program
    .command('pull')
    .argument('<image>', '/ipfs/<hash>/…, a hash, an id or its beginning, /ipns/<peer>/<name>, or a name')
    .summary('pull down docker image, add it to docker')
    .description(
      'Pulls an image into this station, then adds it to the Docker engine of this machine where one answers (DOCKER_HOST is honoured). An image that is pulled by a name gets that name in the engine, one that is pulled by id or hash none, unless --name gives one: a stranger must not move your names.',
    )
    .option('-o, --output <file>', 'write an archive instead: image.tar, oci:image.tar, - for stdout')
    .option('--format <format>', 'of the archive: docker (default) or oci')
    .option('--store-only', "only into this station's store")
    .option('--name <name>', 'the name to give it (may be repeated)', collect)
    .option('--platform <os/arch>', "one platform, or all (default: this machine's)")
    .option('--from <peer>', 'ask this peer only, and take its answer')
    .option('--cached', 'do not pin it: it may go when room is needed (store.cacheMax)')
    .option('--lazy', 'return when it could be mounted; its content follows by itself (dkr-shp mount)')
    .action((image: string, flags: PullFlags) => {
      if (flags.lazy !== true) return runPull(context(), image, flags);
      const others = (['output', 'format', 'storeOnly', 'name', 'cached'] as const).filter(
        (name) => flags[name] !== undefined,
      );
      return runLazyPull(context(), image, flags, others.map(optionName));
    });
};

/** `storeOnly` as it is typed: `--store-only`. */
function optionName(flag: string): string {
  return `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

async function runPull(context: CommandContext, reference: string, flags: PullFlags): Promise<void> {
  if (flags.output !== undefined && flags.storeOnly === true) {
    throw new Fault('invalid', 'usage', '--output and --store-only exclude each other');
  }
  const target = flags.output === undefined ? undefined : parseArchiveTarget(flags.output, flags.format);
  const client = stationClient(context);
  // Is there a station at all? Before anything is said of an engine.
  await client.call('addrs', undefined, context.signal);
  const found = target === undefined && flags.storeOnly !== true ? await engineOrNote(context) : {};
  const { engine } = found;
  const request: PullRequest = {
    reference,
    blobs:
      target?.format === 'oci-archive' ||
      (engine !== undefined && (await keepsBlobs(engine, context.signal))),
    ...(flags.cached === true ? { cached: true } : {}),
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
  };
  const view = createProgressView(context.terminal.err, context.json, systemClock);
  let pulled: PullResult;
  try {
    pulled = await stationClient(context).operate('pull', request, {
      onProgress: view.update,
      signal: context.signal,
    });
  } finally {
    view.end();
  }
  const names = flags.name ?? nameOf(pulled.address);
  const line = `pulled ${pulled.address}`;
  if (target !== undefined) {
    const archive: ExportRequest = {
      image: pulled.imageRoot,
      format: target.format,
      names,
      ...exportPlatform(pulled, target.format),
    };
    const stream = await stationClient(context).stream('export', archive, context.signal);
    if (target.path === '-') {
      const { pipeline } = await import('node:stream/promises');
      await pipeline(stream, process.stdout, { signal: context.signal, end: false });
      context.note(line);
      return;
    }
    await writeArchive(target.path, stream, context.signal);
    context.result(line, { ...pulled, file: target.path, format: target.format });
    return;
  }
  if (engine === undefined) {
    if (found.note !== undefined) context.note(found.note);
    context.result(line, pulled);
    return;
  }
  const loaded = await loadIntoEngine(engine, stationClient(context), pulled, {
    names,
    signal: context.signal,
  });
  if (loaded.already) context.note('the Docker engine has it already');
  const suffix = loaded.sameId ? '' : ` (engine id ${loaded.engineId.slice(7, 19)})`;
  context.result(`${line}${suffix}`, { ...pulled, engineId: loaded.engineId, sameId: loaded.sameId });
}

/** A containerd store can be given the same engine ID only with the original blobs. */
async function keepsBlobs(engine: EngineClient, signal: AbortSignal): Promise<boolean> {
  return (await engineStoreKind(engine, signal)) === 'containerd';
}

/** No engine is no failure: the image is in the store. One that refuses us is, and is said. */
async function engineOrNote(
  context: CommandContext,
): Promise<{ readonly engine?: EngineClient; readonly note?: string }> {
  try {
    return { engine: await findEngine(context) };
  } catch (error) {
    if (!(error instanceof Fault) || error.kind === 'cancelled') throw error;
    return { note: `note: not added to docker, only to the station's store: ${error.message}` };
  }
}

/** The last part of `/ipfs/<root>/<id or name>` when it is a name. */
function nameOf(address: string): readonly string[] {
  const path = address.split('/').slice(3).join('/');
  return path === '' || /^[0-9a-f]{12}$/.test(path) ? [] : [path];
}
