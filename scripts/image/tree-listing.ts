import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** Entries below a folder by their path from it, parents first, each directory's names in byte order. */
export type TreeListing = ReadonlyMap<string, Stats>;

export function listTree(root: string): TreeListing {
  const listing = new Map<string, Stats>();
  const walk = (folder: string) => {
    const names = readdirSync(join(root, folder)).sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    for (const name of names) {
      const path = folder === '' ? name : `${folder}/${name}`;
      const stats = lstatSync(join(root, path));
      listing.set(path, stats);
      if (stats.isDirectory()) walk(path);
    }
  };
  walk('');
  return listing;
}

/** What makes `upper`, a copy of `lower` that was worked on, out of it. */
export interface TreeDifference {
  /** New and changed paths of `upper`, parents first, with the directories that lead to them. */
  readonly changed: readonly string[];
  /** Paths of `lower` that are gone; below a directory that is gone only that one. */
  readonly removed: readonly string[];
}

function same(upper: string, lower: string, path: string, a: Stats, b: Stats): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false;
  // A directory's time changes with each file that came or went in it: what counts stands in its entries.
  if (a.isDirectory()) return true;
  if (a.isSymbolicLink()) return readlinkSync(join(upper, path)) === readlinkSync(join(lower, path));
  return a.size === b.size && a.mtimeMs === b.mtimeMs;
}

export function compareTrees(upper: string, lower: string): TreeDifference {
  const [above, below] = [listTree(upper), listTree(lower)];
  const changed = new Set<string>();
  for (const [path, stats] of above) {
    const before = below.get(path);
    if (before !== undefined && same(upper, lower, path, stats, before)) continue;
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1))
      changed.add(path.slice(0, at));
    changed.add(path);
  }
  const removed = [...below.keys()].filter((path) => !above.has(path));
  const gone = new Set(removed);
  const parent = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
  return { changed: [...changed], removed: removed.filter((path) => !gone.has(parent(path))) };
}
