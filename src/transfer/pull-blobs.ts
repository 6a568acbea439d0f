import { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import type { KeptBlob } from '../store/image-records.ts';
import { checkBlob } from './blob-check.ts';
import { fetchFile, type PullContext } from './pull-fetch.ts';

/**
 * Brings the compressed blobs of an image, so that an export has the original manifest digest. Their digests prove
 * them, whoever told of them.
 * @returns those that are here then; one that no peer gives is left out with a note
 */
export async function fetchKeptBlobs(context: PullContext, blobs: readonly KeptBlob[]): Promise<KeptBlob[]> {
  const { components, reporter, signal } = context;
  const kept: KeptBlob[] = [];
  for (const blob of blobs) {
    signal.throwIfAborted();
    try {
      await fetchFile(context, { ...blob, root: CID.parse(blob.cid) });
      await checkBlob(components.store, { ...blob, cid: CID.parse(blob.cid) });
      kept.push(blob);
    } catch (error) {
      if (!(error instanceof Fault) || (error.kind !== 'unavailable' && error.kind !== 'corrupt'))
        throw error;
      if (error.code === 'disk-full') throw error;
      reporter.note(`blob ${blob.digest} is not kept: ${error.message}`);
    }
  }
  return kept;
}
