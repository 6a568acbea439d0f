import { join } from 'node:path';

/**
 * Everything of the store on disk, below the station's root:
 *
 *     cas/<xx>/<cid>        one object, complete: there = whole. <xx>: next to last two characters of the CID (flatfs)
 *     partial/<cid>         an object that still comes: full length, holes where nothing is yet
 *     partial/<cid>.bits    one bit a leaf, set only after its bytes were written
 *     quarantine/<cid>      what did not hash to its CID, for a look at it
 *     tmp/<n>               files on their way; emptied at every start
 *     meta/                 LMDB: rows of objects, blocks, images, leases, bindings, values, boot mark
 *     store.lock            process id and start time of the process that has the store open
 */
export interface StoreLayout {
  readonly root: string;
  readonly cas: string;
  readonly partials: string;
  readonly quarantine: string;
  readonly temporary: string;
  readonly metadata: string;
  readonly lock: string;
  object(cid: string): string;
  partial(cid: string): string;
  bits(cid: string): string;
  quarantined(cid: string): string;
}

export function storeLayout(root: string): StoreLayout {
  const cas = join(root, 'cas');
  const partials = join(root, 'partial');
  const quarantine = join(root, 'quarantine');
  return {
    root,
    cas,
    partials,
    quarantine,
    temporary: join(root, 'tmp'),
    metadata: join(root, 'meta'),
    lock: join(root, 'store.lock'),
    // Concatenation: a push asks for one path a file, and join() costs ten times as much.
    object: (cid) => `${cas}/${cid.slice(-3, -1)}/${cid}`,
    partial: (cid) => `${partials}/${cid}`,
    bits: (cid) => `${partials}/${cid}.bits`,
    quarantined: (cid) => `${quarantine}/${cid}`,
  };
}
