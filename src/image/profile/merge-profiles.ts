import { type LeafRange, PROFILE_LIMITS } from './start-up-profile.ts';

/** Leaves of one run that count; later ones are no part of a start. */
const MAX_LEAVES = 65_536;

interface Leaf {
  readonly layer: number;
  readonly object: number;
  readonly leaf: number;
  /** Sum of its places in the runs that used it, and how many did. */
  places: number;
  runs: number;
}

/**
 * One order out of several: each leaf at the average of its places in the runs that used it, the earliest first. What
 * only some runs used is in it as well. At most `PROFILE_LIMITS.ranges` ranges, the first ones.
 */
export function mergeProfiles(runs: readonly (readonly LeafRange[])[]): LeafRange[] {
  const leaves = new Map<string, Leaf>();
  for (const run of runs) placeLeaves(run, leaves);
  const ordered = [...leaves.values()].sort(
    (a, b) =>
      a.places / a.runs - b.places / b.runs || a.layer - b.layer || a.object - b.object || a.leaf - b.leaf,
  );
  return joinNeighbours(ordered);
}

function placeLeaves(run: readonly LeafRange[], leaves: Map<string, Leaf>): void {
  const seen = new Set<string>();
  for (const { layer, object, first, end } of run) {
    for (let leaf = first; leaf < end && seen.size < MAX_LEAVES; leaf++) {
      const key = `${layer}/${object}/${leaf}`;
      if (seen.has(key)) continue;
      const known = leaves.get(key) ?? { layer, object, leaf, places: 0, runs: 0 };
      known.places += seen.size;
      known.runs++;
      leaves.set(key, known);
      seen.add(key);
    }
  }
}

function joinNeighbours(ordered: readonly Leaf[]): LeafRange[] {
  const ranges: { layer: number; object: number; first: number; end: number }[] = [];
  for (const { layer, object, leaf } of ordered) {
    const last = ranges.at(-1);
    if (last?.layer === layer && last.object === object && last.end === leaf) {
      last.end++;
      continue;
    }
    if (ranges.length === PROFILE_LIMITS.ranges) break;
    ranges.push({ layer, object, first: leaf, end: leaf + 1 });
  }
  return ranges;
}
