import { dagPbCid, rawCid } from '../image/dag/file-dag.ts';
import type { ReadDropped } from '../image/layer/tar-recipe.ts';
import type { Store } from '../store/store.ts';

const PIECE = 1024 * 1024;

/** Reads content of entries that later ones replaced: stored while the tar went by, held by the operation's lease. */
export function readDroppedFrom(store: Store): ReadDropped {
  return async function* (hash, offset, length) {
    const raw = rawCid(hash);
    const cid = store.objects.has(raw) ? raw : dagPbCid(hash);
    for (let at = 0; at < length; at += PIECE) {
      yield await store.objects.read(cid, offset + at, Math.min(PIECE, length - at));
    }
  };
}
