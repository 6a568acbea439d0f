import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MountResult } from '../../../src/observe/control/mount-views.ts';
import type { PushResult } from '../../../src/observe/control/views.ts';
import type { ArchiveFile } from '../../image/archive-file.ts';

import { makeDebianImage } from '../../image/debian-image.ts';
import { debianTree } from '../../image/debian-tree.ts';
import { type CommandStation, startStation } from '../../station/station.ts';
import type { BenchContext, Benchmark } from '../context.ts';
import { type Figure, pairFigure, plainFigure } from '../figure.ts';
import { type Link, type LinkSettings, makeLink } from '../link.ts';
import { settle } from '../machine.ts';
import { PROGRAMS, type StartedProgram, startProgram } from '../program-start.ts';
import { sample } from '../sampling.ts';
import { type LocalStart, measureLocalStart, startBound } from '../start-bound.ts';
import { median } from '../statistics.ts';

interface LazyLink extends LinkSettings {
  readonly text: string;
  /** Times the bound that a start with a profile may take. */
  readonly withProfile: number;
}

const QUEUE = 512 * 1024;
const LINKS: readonly LazyLink[] = [
  { text: '100 Mbit/s and 20 ms', rate: 100e6, delay: 20, queue: QUEUE, withProfile: 1.6 },
  { text: '1 Gbit/s and 0.5 ms', rate: 1e9, delay: 0.5, queue: QUEUE, withProfile: 2 },
];
const WITHOUT_PROFILE = 3;
const WIRE_TARGET = { atMost: 2 };
/** The longest that a recorded start may take: unmounting ends the recording. */
const WINDOW_MS = 60_000;
/** How long its last uses take to be told, and how long its profile may take to be there. */
const TOLD_MS = 1000;
const PROFILE_MS = 60_000;

/** Starts of programs in images that are mounted before they are here, over wires with a rate and a delay. */
export const lazyStarts: readonly Benchmark[] = LINKS.flatMap((link) =>
  PROGRAMS.map((program) => ({
    name: `lazy start of ${program.name} over ${link.text}`,
    run: (context: BenchContext) => benchmarkStart(context, program, link),
  })),
);

async function benchmarkStart(
  context: BenchContext,
  program: StartedProgram,
  settings: LazyLink,
): Promise<readonly Figure[]> {
  const archive = await programImage(context, program);
  const local = await localStart(context, program);
  const bound = startBound(local, settings);
  context.say(
    `  local start ${local.seconds.toFixed(3)} s, ${(local.touched / 1e6).toFixed(1)} MB touched in ${local.files} files, ${(local.compressed / 1e6).toFixed(2)} MB by zstd -3; bound ${bound.toFixed(3)} s`,
  );
  await using link = await makeLink(context.folder, settings);
  await link.a.exec('ip', 'route', 'add', 'default', 'via', link.addressB);
  await link.b.exec('ip', 'route', 'add', 'default', 'via', link.addressA);
  const at = { parent: context.folder };
  await using seeder = await startStation({ ...at, prefix: link.a.prefix, address: link.addressA });
  const pushed = await seeder.push(archive.path);
  const near = { ...at, prefix: link.b.prefix, address: link.addressB };
  await using puller = await startStation({ ...near, settings: ['profile.record=false'] });
  await puller.run('connect', seeder.addr);
  const mountpoint = join(context.folder, 'mnt');
  mkdirSync(mountpoint, { recursive: true });

  const measure = async (what: string, atMost: number): Promise<Figure[]> => {
    const times: number[] = [];
    const wire: number[] = [];
    const sampled = await sample(
      async () => {
        const { seconds, bytes } = await coldStart({ puller, link, mountpoint, program, pushed });
        times.push(seconds);
        wire.push(bytes / local.compressed);
        return seconds / bound;
      },
      { atMost },
      context.sampling,
    );
    const metric = `${program.name} over ${settings.text}, ${what}`;
    return [
      pairFigure(metric, 's', 'the bound', { ...sampled, a: median(times), b: bound }, { atMost }),
      plainFigure(`${metric}: bytes on the wire / zstd of what it touches`, median(wire), '', WIRE_TARGET),
    ];
  };

  const without = await measure('no profile', WITHOUT_PROFILE);
  const profile = await recordProfile({ near, seeder, link, mountpoint, program, pushed, context });
  await seeder.run('profile', '--import', profile, pushed.address);
  return [...without, ...(await measure('with a profile', settings.withProfile))];
}

interface Start {
  readonly puller: CommandStation;
  readonly link: Link;
  readonly mountpoint: string;
  readonly program: StartedProgram;
  readonly pushed: PushResult;
}

/** From `dkr-shp mount` at a station that has nothing of the image to the program's answer. */
async function coldStart({ puller, link, mountpoint, program, pushed }: Start): Promise<{
  readonly seconds: number;
  readonly bytes: number;
}> {
  await settle();
  // What the kernel keeps of an earlier mount of the same files goes; the command itself is warm again afterwards.
  writeFileSync('/proc/sys/vm/drop_caches', '3');
  await puller.status();
  await sleep(200);
  const before = link.bytes();
  const start = performance.now();
  await puller.run('mount', '--rw', '--dev', pushed.address, mountpoint);
  const started = await startProgram(program, mountpoint, link.b.prefix);
  const seconds = (performance.now() - start) / 1000;
  const bytes = link.bytes() - before;
  await started[Symbol.asyncDispose]();
  await puller.run('umount', '--lazy', mountpoint);
  await puller.forget(pushed.address);
  return { seconds, bytes };
}

/** One start at a station of its own. @returns the file with its profile */
async function recordProfile({
  near,
  seeder,
  link,
  mountpoint,
  program,
  pushed,
  context,
}: Omit<Start, 'puller'> & {
  readonly near: Parameters<typeof startStation>[0];
  readonly seeder: CommandStation;
  readonly context: BenchContext;
}): Promise<string> {
  const file = join(context.folder, `${program.name}.profile`);
  await using recorder = await startStation({
    ...near,
    settings: ['profile.record=true', `profile.window=${WINDOW_MS}ms`],
  });
  await recorder.run('connect', seeder.addr);
  const text = await recorder.run('--json', 'mount', '--rw', '--dev', pushed.address, mountpoint);
  const { manifestRoot } = JSON.parse(text.trim().split('\n').at(-1) ?? '') as MountResult;
  const started = await startProgram(program, mountpoint, link.b.prefix);
  await sleep(TOLD_MS);
  await started[Symbol.asyncDispose]();
  await recorder.run('umount', '--lazy', mountpoint);
  for (const until = performance.now() + PROFILE_MS; ; ) {
    try {
      await recorder.run('profile', '--export', file, manifestRoot);
      break;
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(500);
    }
  }
  await recorder.run('stop', '--all', '--force');
  return file;
}

function programImage(context: BenchContext, program: StartedProgram): Promise<ArchiveFile> {
  context.say(`making an image with ${program.packages.join(', ')}`);
  return makeDebianImage(context.work, {
    out: join(context.work, `start-${program.name}.tar`),
    name: `bench/start-${program.name}:1`,
    packages: program.packages,
    filler: 0,
    seed: '1',
    command: program.argv,
  });
}

/** Once a program: the same for every link. */
const LOCAL = new Map<string, Promise<LocalStart>>();

function localStart(context: BenchContext, program: StartedProgram): Promise<LocalStart> {
  const known = LOCAL.get(program.name);
  if (known !== undefined) return known;
  const measured = debianTree(context.work, program.packages).then((tree) =>
    measureLocalStart(program, tree, context.folder),
  );
  LOCAL.set(program.name, measured);
  return measured;
}
