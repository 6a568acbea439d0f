import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ArchiveFile, writeArchiveFile } from '../../image/archive-file.ts';
import { writeLayerFile } from '../../image/layer-file.ts';
import { listTree } from '../../image/tree-listing.ts';
import { type CommandStation, startStation } from '../../station/station.ts';
import { type BenchContext, type Benchmark, pythonImage } from '../context.ts';
import { plainFigure, sampledFigure } from '../figure.ts';
import { residentBytes, settle, timed } from '../machine.ts';
import { sample } from '../sampling.ts';
import { dropCaches, findTree } from '../tree-programs.ts';
import { makeTreeReader } from '../tree-reader.ts';

const IMAGES = 10;
const DIRECTORIES = 3000;
const FILES_EACH = 9;
const EPOCH = 1_767_225_600;
const MOUNT_TARGET = { atMost: 0.15 };
const MEMORY_TARGET = { atMost: 120 };
/** Milliseconds. */
const STALL = 1000;
const STALL_TARGET = { atMost: 20 };

/** 30,000 entries under names of its own, so that no index is shared; the contents are the same in all, to push once. */
async function manyEntries(context: BenchContext, seed: string): Promise<ArchiveFile> {
  const folder = join(context.folder, `entries-${seed}`);
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    const path = join(folder, `usr/share/package-${Math.floor(directory / 100)}/part-${directory}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < FILES_EACH; file++)
      writeFileSync(join(path, `file-${seed}-${file}.data`), `${directory} ${file}\n`);
  }
  const paths = [...listTree(folder).keys()];
  const layer = await writeLayerFile(`${folder}.tar`, { root: folder, paths, whiteouts: [] }, EPOCH);
  rmSync(folder, { recursive: true });
  const name = `bench/entries-${seed}:1`;
  return writeArchiveFile(`${folder}-image.tar`, { name, layers: [layer], config: {}, epoch: EPOCH });
}

const idOf = ({ imageId }: ArchiveFile) => imageId.slice(7, 19);

export const mountTimes: Benchmark = {
  name: 'time of a mount',
  run: async (context) => {
    const image = await manyEntries(context, 'time');
    await using station = await startStation({ parent: context.folder });
    await station.push(image.path);
    const mountpoint = join(context.folder, 'mount');
    mkdirSync(mountpoint);
    // the first mount starts keeper and mount server
    const first = await timed(() => station.run('mount', idOf(image), mountpoint));
    const mounts = await sample(
      async () => {
        await station.run('umount', mountpoint);
        return timed(() => station.run('mount', idOf(image), mountpoint));
      },
      MOUNT_TARGET,
      context.sampling,
    );
    await station.run('umount', mountpoint);
    return [
      plainFigure('first mount of a station', first, 's'),
      sampledFigure('dkr-shp mount of 30,000 entries that are here', 's', mounts, MOUNT_TARGET),
    ];
  },
};

export const mountedMemory: Benchmark = {
  name: 'memory of the mount server',
  run: async (context) => {
    await using station = await startStation({ parent: context.folder });
    for (let at = 0; at < IMAGES; at++) {
      const image = await manyEntries(context, String(at));
      await station.push(image.path);
      const mountpoint = join(context.folder, `image-${at}`);
      mkdirSync(mountpoint);
      await station.run('mount', idOf(image), mountpoint);
      await findTree(mountpoint);
    }
    await settle();
    const resident = residentBytes(await mountServerOf(station)) / 2 ** 20;
    return [
      plainFigure(
        `mount server with ${IMAGES} images of 30,000 entries, listed`,
        resident,
        'MiB',
        MEMORY_TARGET,
      ),
    ];
  },
};

export const stalledStation: Benchmark = {
  name: 'station that stalls',
  run: async (context) => {
    const image = await pythonImage(context);
    const reader = await makeTreeReader(context.folder);
    await using station = await startStation({ parent: context.folder });
    await station.push(image.path);
    const mountpoint = join(context.folder, 'stalled');
    mkdirSync(mountpoint);
    await station.run('mount', idOf(image), mountpoint);
    const listing = listTree(mountpoint);
    const files = reader.list(
      'stalled',
      [...listing.keys()].filter((path) => listing.get(path)?.isFile() === true),
    );
    const longest = async () => {
      await dropCaches();
      return (await reader.read(mountpoint, 'latency', files, STALL)).longest * 1000;
    };
    const running = await sample(longest, undefined, context.sampling);
    const stalled = await sample(
      async () => {
        await dropCaches();
        process.kill(station.pid, 'SIGSTOP');
        try {
          const reading = reader.read(mountpoint, 'latency', files, STALL);
          await sleep(STALL);
          return (await reading).longest * 1000;
        } finally {
          process.kill(station.pid, 'SIGCONT');
        }
      },
      STALL_TARGET,
      context.sampling,
    );
    await station.run('umount', mountpoint);
    return [
      sampledFigure('longest cold read of a second', 'ms', running),
      sampledFigure('the same while the station is stopped', 'ms', stalled, STALL_TARGET),
    ];
  },
};

async function mountServerOf(station: CommandStation): Promise<number> {
  const { mountServer } = (await station.status()).mounts.server ?? {};
  if (mountServer === undefined) throw new Error('no mount server runs');
  return mountServer;
}
