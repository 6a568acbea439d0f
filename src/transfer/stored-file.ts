import type { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import { readNode } from '../image/dag/dag-node.ts';
import type { Store } from '../store/store.ts';

/** A UnixFS file's bytes, leaf by leaf, where its blocks are in the database. @throws Fault `not-found/no-block` */
export async function* storedFile(store: Store, cid: CID): AsyncGenerator<Uint8Array> {
  const bytes = await store.blocks.get(cid);
  if (bytes === undefined) throw missingBlock(cid);
  const node = readNode(cid, bytes);
  if (node.kind === 'raw') {
    yield bytes;
    return;
  }
  for (const { cid: child } of node.links) yield* storedFile(store, child);
}

export function missingBlock(cid: CID): Fault {
  return new Fault('not-found', 'no-block', `block ${cid} is not here`, {
    fields: { block: cid.toString() },
  });
}
