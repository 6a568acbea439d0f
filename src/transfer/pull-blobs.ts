import { createHash } from 'node:crypto';
import { CID } from 'multiformats/cid';
import { type Digest, digestOf } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import type { KeptBlob } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import { fetchFile, type PullContext } from './pull-fetch.ts';

const PIECE = 1024 * 1024;

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
      await checkBlob(components.store, blob);
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

async function checkBlob(store: Store, { cid, digest, size }: KeptBlob): Promise<void> {
  const found = await blobDigest(store, CID.parse(cid), size);
  if (found === digest) return;
  throw new Fault('corrupt', 'digest-mismatch', `${cid} is said to be ${digest}, but is ${found}`, {
    fields: { claimed: digest, found },
  });
}

async function blobDigest(store: Store, cid: CID, size: number): Promise<Digest> {
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += PIECE) hash.update(await store.objects.read(cid, at, PIECE));
  return digestOf(hash.digest());
}
