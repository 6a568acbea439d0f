import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { debianTree } from '../../image/debian-tree.ts';
import { listTree } from '../../image/tree-listing.ts';
import { startStation } from '../../station/station.ts';
import { type BenchContext, type Benchmark, PACKAGES, packagesImage } from '../context.ts';
import { type Figure, pairFigure, plainFigure } from '../figure.ts';
import { mountOverlay } from '../overlay-mount.ts';
import { runPairs } from '../sampling.ts';
import type { Target } from '../target.ts';
import { dropCaches, findTree, tarTree } from '../tree-programs.ts';
import { makeTreeReader } from '../tree-reader.ts';

/** Of a file that counts as large, for reads of content alone. */
const LARGE = 8 * 2 ** 20;
const RANDOM_READS = 5000;

interface Way {
  readonly text: string;
  readonly unit: string;
  /** The figure for a tree at this path, caches dropped or warm as the way says. */
  readonly take: (root: string) => Promise<number>;
  readonly target: Target;
}

/** A mounted image against the same tree on the disk's own filesystem, both as the lower of an overlay. */
export const mountedTree: Benchmark = {
  name: 'mounted tree',
  run: async (context) => {
    const image = await packagesImage(context);
    const tree = await debianTree(context.work, PACKAGES);
    const listing = listTree(tree);
    const paths = [...listing.keys()];
    const files = paths.filter((path) => listing.get(path)?.isFile() === true);
    const large = files.filter((path) => (listing.get(path)?.size ?? 0) >= LARGE);
    const reader = await makeTreeReader(context.folder);
    const lists = {
      all: reader.list('all', paths),
      files: reader.list('files', files),
      large: reader.list('large', large),
    };
    await using station = await startStation({ parent: context.folder });
    await station.push(image.path);
    const mountpoint = join(context.folder, 'image');
    mkdirSync(mountpoint);
    await station.run('mount', image.imageId.slice(7, 19), mountpoint);
    await using disk = await mountOverlay(join(context.folder, 'disk'), [tree]);

    const cold =
      (take: (root: string) => Promise<number>) =>
      async (root: string): Promise<number> => {
        await dropCaches();
        return take(root);
      };
    const warm =
      (take: (root: string) => Promise<number>) =>
      async (root: string): Promise<number> => {
        await take(root);
        return take(root);
      };
    const each = async (root: string, mode: 'lstat' | 'open', list: string) => {
      const { seconds, operations } = await reader.read(root, mode, list);
      return (seconds / operations) * 1e6;
    };
    const rate = async (root: string, mode: 'sequential' | 'random') => {
      const { seconds, bytes } = await reader.read(root, mode, lists.large, RANDOM_READS);
      return bytes / 1e6 / seconds;
    };
    const ways: readonly Way[] = [
      { text: 'cold find', unit: 's', take: cold(findTree), target: { atMost: 2 } },
      {
        text: 'cold lstat',
        unit: 'us',
        take: cold((root) => each(root, 'lstat', lists.all)),
        target: { atMost: 1.5 },
      },
      {
        text: 'cold open and 4 KiB',
        unit: 'us',
        take: cold((root) => each(root, 'open', lists.files)),
        target: { atMost: 2.5 },
      },
      { text: 'cold tar of all', unit: 's', take: cold(tarTree), target: { atMost: 1.2 } },
      { text: 'warm find', unit: 's', take: warm(findTree), target: { atMost: 1.2 } },
      {
        text: 'warm lstat',
        unit: 'us',
        take: warm((root) => each(root, 'lstat', lists.all)),
        target: { atMost: 1.6 },
      },
      { text: 'warm tar of all', unit: 's', take: warm(tarTree), target: { atMost: 1.2 } },
      {
        text: 'cold sequential read of large files',
        unit: 'MB/s',
        take: cold((root) => rate(root, 'sequential')),
        target: { atLeast: 0.6 },
      },
      {
        text: 'cold random reads of 4 KiB',
        unit: 'MB/s',
        take: cold((root) => rate(root, 'random')),
        target: { atLeast: 0.8 },
      },
    ];
    const figures: Figure[] = sizes(context, listing.size, files, listing);
    for (const way of ways) {
      context.say(`  ${way.text}`);
      const pairs = await runPairs(
        () => way.take(mountpoint),
        () => way.take(disk.path),
        way.target,
        context.sampling,
      );
      figures.push(pairFigure(way.text, way.unit, 'the disk', pairs, way.target));
    }
    await station.run('umount', mountpoint);
    return figures;
  },
};

function sizes(
  context: BenchContext,
  entries: number,
  files: readonly string[],
  listing: ReadonlyMap<string, { readonly size: number }>,
): Figure[] {
  const bytes = files.reduce((sum, path) => sum + (listing.get(path)?.size ?? 0), 0);
  context.say(`  ${entries} entries, ${(bytes / 1e9).toFixed(2)} GB`);
  return [
    plainFigure('entries of the tree', entries, ''),
    plainFigure('bytes of its files', bytes / 1e6, 'MB'),
  ];
}
