import { CID } from 'multiformats/cid';
import { type Digest, digestOfBytes } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { readImageRoot } from '../image/dag/image-roots.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import { jsonContent } from './export-file.ts';

/** The exact bytes of the index of an image, where there is one. */
export function indexJson(
  store: Store,
  record: ImageRecord,
): { bytes: Uint8Array; digest: Digest } | undefined {
  if (record.indexDigest === undefined) return undefined;
  const { indexJson: cid } = readImageRoot(CID.parse(record.root), (at) => store.blocks.getSync(at));
  if (cid === undefined) return undefined;
  const bytes = jsonContent(store, cid);
  const digest = digestOfBytes(bytes);
  if (digest !== record.indexDigest) {
    throw new Fault(
      'corrupt',
      'digest-mismatch',
      `the index of image ${record.root} is not ${record.indexDigest}`,
    );
  }
  return { bytes, digest };
}
