import { Fault } from '../base/fault.ts';
import type { RemoveResult } from '../observe/control/views.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import type { Swarm } from '../swarm/swarm.ts';
import { holdersOf } from '../transfer/copies.ts';
import type { LazyImages } from '../transfer/lazy/lazy-images.ts';
import { findImage } from './image-lookup.ts';

/** How long a removal asks who else has the image. */
const HOLDERS_MS = 3_000;

export interface ImageRemovalComponents {
  readonly store: Store;
  readonly swarm: Swarm;
  readonly lazy: Pick<LazyImages, 'list' | 'remove' | 'checkUnused'>;
}

/**
 * Forgets an image, whole or still on its way.
 * @throws Fault as `findImage`; `busy/image-mounted`
 */
export async function removeImage(
  { store, swarm, lazy }: ImageRemovalComponents,
  image: string,
): Promise<RemoveResult> {
  let record: ImageRecord;
  try {
    record = findImage(store, image);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'unknown-image') throw error;
    const views = lazy.list();
    const root = await lazy.remove(image);
    if (root === undefined) throw error;
    const names = views.filter(({ imageRoot }) => imageRoot === root).flatMap((view) => view.names);
    return { root, names, notes: ['it was not whole yet: what is here of it goes with the next sweep'] };
  }
  lazy.checkUnused(record.root);
  const copies = record.shared
    ? (await holdersOf(swarm, record, AbortSignal.timeout(HOLDERS_MS)).catch(() => [])).length
    : 0;
  // Another platform of it may still be on its way.
  await lazy.remove(record.root);
  await store.images.remove(record.root);
  return { root: record.root, names: record.names, notes: removalNotes(record, copies) };
}

/** A push is on one machine until others hold it; what was pulled may be gone where it came from. */
function removalNotes({ origin, shared }: ImageRecord, copies: number): string[] {
  if (copies > 0) return [];
  if (shared) return ['this was the last known copy: no connected station holds it'];
  return origin === 'push' ? ['it was pushed here and not shared: nobody else has it from here'] : [];
}
