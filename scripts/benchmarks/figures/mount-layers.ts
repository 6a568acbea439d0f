import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ArchiveFile, writeArchiveFile } from '../../image/archive-file.ts';
import { run } from '../../image/command.ts';
import { debianTree } from '../../image/debian-tree.ts';
import { type LayerFile, writeLayerFile } from '../../image/layer-file.ts';
import { listTree } from '../../image/tree-listing.ts';
import { startStation } from '../../station/station.ts';
import { type BenchContext, type Benchmark, PACKAGES } from '../context.ts';
import { pairFigure } from '../figure.ts';
import { mountOverlay } from '../overlay-mount.ts';
import { runPairs } from '../sampling.ts';
import { dropCaches, findTree } from '../tree-programs.ts';

const LAYERS = 60;
const TARGET = { atMost: 1 };
/** 2026-01-01, as scripts/make-image has it. */
const EPOCH = 1_767_225_600;

/** One tree in sixty layers: merged by the mount server, and by overlayfs from sixty folders. */
export const manyLayers: Benchmark = {
  name: 'many layers',
  run: async (context) => {
    const folder = join(context.work, `${LAYERS}-layers`);
    const { archive, names } = await layeredImage(context, folder);
    await using station = await startStation({ parent: context.folder });
    await station.push(archive.path);
    const mountpoint = join(context.folder, 'layered');
    mkdirSync(mountpoint);
    await station.run('mount', archive.imageId.slice(7, 19), mountpoint);
    await using disk = await mountOverlay(folder, names);
    const cold = (root: string) => async () => {
      await dropCaches();
      return findTree(root);
    };
    const pairs = await runPairs(cold(mountpoint), cold(disk.path), TARGET, context.sampling);
    await station.run('umount', mountpoint);
    return [pairFigure(`cold find, ${LAYERS} layers`, 's', 'the disk, as many lowers', pairs, TARGET)];
  },
};

interface LayeredImage {
  readonly archive: ArchiveFile;
  /** Folders of the unpacked layers, topmost first. */
  readonly names: readonly string[];
}

/** Deals the tree's entries round to the layers, each with the directories that lead to them. */
async function layeredImage(context: BenchContext, folder: string): Promise<LayeredImage> {
  const tree = await debianTree(context.work, PACKAGES);
  const names = Array.from({ length: LAYERS }, (_, at) => String(at));
  const parts = names.map(() => new Set<string>());
  let next = 0;
  for (const [path, stats] of listTree(tree)) {
    if (stats.isDirectory()) continue;
    const part = parts[next++ % LAYERS]!;
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) part.add(path.slice(0, at));
    part.add(path);
  }
  const unpacked = existsSync(folder);
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const layers: LayerFile[] = [];
  context.say(`making an image of ${LAYERS} layers`);
  for (const [at, name] of names.entries()) {
    const file = join(context.work, `layer-${name}.tar`);
    layers.push(await writeLayerFile(file, { root: tree, paths: [...parts[at]!], whiteouts: [] }, EPOCH));
    if (unpacked) continue;
    mkdirSync(join(unfinished, name), { recursive: true });
    await run('tar', ['-xpf', file, '--numeric-owner', '-C', join(unfinished, name)]);
  }
  if (!unpacked) await run('mv', [unfinished, folder]);
  const content = { name: 'bench/layers:1', layers, config: {}, epoch: EPOCH };
  const archive = await writeArchiveFile(join(context.work, 'layers.tar'), content);
  for (const { path } of layers) rmSync(path);
  return { archive, names: names.toReversed() };
}
