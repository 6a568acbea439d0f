import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { run } from '../image/command.ts';
import type { LinkSettings } from './link.ts';
import { mountWritable } from './overlay-mount.ts';
import { type StartedProgram, startProgram } from './program-start.ts';
import { median } from './statistics.ts';

/** What the start of a program costs where all of its image is on a local disk. */
export interface LocalStart {
  /** Median of warm starts. */
  readonly seconds: number;
  /** Bytes of the file pages that a start touches, plain and as one zstd frame of level 3. */
  readonly touched: number;
  readonly compressed: number;
  readonly files: number;
}

const WARM_STARTS = 7;
const PAGE = 4096;
/** Round trips that a cold start may take at least: resolve, tree, profile, and two for what is not in it. */
const ROUND_TRIPS = 5;
const SOURCE = new URL('./touched-pages.c', import.meta.url).pathname;

/** Seconds that no lazy start can be quicker than on this link, but by guessing. */
export function startBound({ seconds, compressed }: LocalStart, link: LinkSettings): number {
  return seconds + (compressed * 8) / link.rate + (ROUND_TRIPS * 2 * link.delay) / 1000;
}

/**
 * Starts the program on a copy of its tree, on an ext4 of its own in a loop device: with its first mount the caches are
 * cold, and its read-ahead can be turned off without touching any other disk. Each start is in an overlay with a new upper.
 */
export async function measureLocalStart(
  program: StartedProgram,
  tree: string,
  folder: string,
): Promise<LocalStart> {
  await using stack = new AsyncDisposableStack();
  const image = join(folder, 'local.ext4');
  const mountpoint = join(folder, 'local');
  const dump = join(folder, 'local.pages');
  const tool = join(folder, 'touched-pages');
  await run('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', tool, SOURCE]);
  stack.defer(() => {
    for (const path of [image, mountpoint, dump]) rmSync(path, { recursive: true, force: true });
  });
  const used = Number((await run('du', ['-s', '--block-size=1M', tree])).split('\t')[0]);
  await run('mkfs.ext4', ['-q', '-d', tree, image, `${used * 2 + 256}M`]);
  await run('mkdir', ['-p', mountpoint]);
  await run('mount', ['-o', 'loop', image, mountpoint]);
  stack.defer(async () => void (await run('umount', ['--lazy', mountpoint])));
  const { dev } = statSync(mountpoint);
  // dev_t as the kernel's glibc packs it: 8 bits of the minor below the major (makedev(3)).
  writeFileSync(`/sys/class/bdi/${(dev >> 8) & 0xfff}:${dev & 0xff}/read_ahead_kb`, '0');

  // As the image is started: what a program writes at its start (byte code) it writes each time, and reads no time.
  const upper = join(folder, 'local-start');
  const timeStart = async (): Promise<number> => {
    await using merged = await mountWritable(upper, mountpoint);
    const start = performance.now();
    await using _started = await startProgram(program, merged.path);
    return (performance.now() - start) / 1000;
  };

  await timeStart();
  const [pages = 0, files = 0] = (await run(tool, [mountpoint, dump])).trim().split(' ').map(Number);
  const content = readFileSync(dump);
  const compressed = zstdCompressSync(content, {
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
  }).length;
  const seconds: number[] = [];
  for (let at = 0; at < WARM_STARTS; at++) {
    seconds.push(await timeStart());
  }
  return { seconds: median(seconds), touched: Math.min(pages * PAGE, content.length), compressed, files };
}
