import { createHash } from 'node:crypto';
import type { CID } from 'multiformats/cid';
import { type Digest, digestOf } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import type { Store } from '../store/store.ts';

const PIECE = 1024 * 1024;

/**
 * Whether a file that came from a peer is the blob that it is said to be: a CID names the bytes that came, not what a
 * manifest wants.
 * @throws Fault `corrupt/digest-mismatch`
 */
export async function checkBlob(
  store: Store,
  { cid, digest, size }: { readonly cid: CID; readonly digest: Digest; readonly size: number },
): Promise<void> {
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += PIECE) hash.update(await store.objects.read(cid, at, PIECE));
  const found = digestOf(hash.digest());
  if (found === digest && store.objects.info(cid)?.size === size) return;
  throw new Fault('corrupt', 'digest-mismatch', `${cid} is said to be ${digest}, but is ${found}`, {
    fields: { claimed: digest, found, file: cid.toString() },
  });
}
