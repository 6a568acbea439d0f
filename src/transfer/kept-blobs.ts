import { CID } from 'multiformats/cid';
import type { KeptBlob } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';

/** Both lists, each digest once; of `before` only what is still here: a damaged blob goes into quarantine. */
export function mergeKeptBlobs(
  store: Store,
  before: readonly KeptBlob[],
  now: readonly KeptBlob[],
): KeptBlob[] {
  const here = before.filter(({ cid }) => store.objects.has(CID.parse(cid)));
  return [...new Map([...here, ...now].map((blob) => [blob.digest, blob])).values()];
}
