import { CHUNK_SIZE } from '../../image/dag/file-dag.ts';
import type { LeafRange, StartUpProfile } from '../../image/profile/start-up-profile.ts';
import type { ImageProfile } from '../../store/image-records.ts';
import type { PullLayer } from '../pull-parts.ts';
import type { LazySession } from './lazy-session.ts';

type Layers = readonly Pick<PullLayer, 'layer'>[];

/** Whether every range lies within the image's layers. */
export function fitsLayers(ranges: readonly LeafRange[], layers: Layers): boolean {
  return ranges.every(({ layer, object, first, end }) => {
    const index = layers[layer]?.layer.index;
    if (index === undefined || !(object >= 0 && object < index.objectCount)) return false;
    const leaves = (index.objectLeaves(object)?.length ?? 32) / 32;
    return first >= 0 && first < end && end <= leaves;
  });
}

/** Plan indexes of what a profile lists, in its order, each once; `undefined` where it is of another image. */
export function profileLeaves(
  { ranges }: StartUpProfile,
  { layers, targets }: Pick<LazySession, 'layers' | 'targets'>,
): number[] | undefined {
  if (!fitsLayers(ranges, layers)) return undefined;
  const indexes = new Set<number>();
  for (const { layer, object, first, end } of ranges) {
    for (const index of targets.leavesOf(layer, object, first, end)) indexes.add(index);
  }
  return [...indexes];
}

/** What a record says of a profile that fits the layers. */
export function profileFacts(
  { root, runs, ranges }: StartUpProfile,
  layers: Layers,
): Pick<ImageProfile, 'root' | 'runs' | 'ranges' | 'bytes'> {
  const bytes = ranges.reduce((sum, { layer, object, first, end }) => {
    const size = layers[layer]?.layer.index.objectSize(object) ?? 0;
    return sum + Math.min(size, end * CHUNK_SIZE) - first * CHUNK_SIZE;
  }, 0);
  return { root, runs, ranges: ranges.length, bytes };
}
