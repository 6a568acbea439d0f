import type { CID } from 'multiformats/cid';
import { dagLinks } from '../image/dag/dag-node.ts';
import { RAW_CODEC } from '../image/dag/file-dag.ts';
import type { CidMarks } from './cid-marks.ts';

/** What a walk sees of the store. */
export interface WalkedStore {
  /** A whole object, complete: nothing below it is walked. */
  isObject(cid: CID): boolean;
  /** A raw block in the database. */
  isBlock(cid: CID): boolean;
  /** Bytes of a block in the database. */
  block(cid: CID): Uint8Array | undefined;
}

export interface WalkOptions {
  /** Called for what is not here; its children stay unknown. */
  readonly onMissing: (cid: CID) => void;
  /** Called for each CID that was not marked before. */
  readonly onVisit?: (cid: CID) => void;
  /** Awaited every few blocks; throws to end the walk. */
  readonly pause: () => Promise<void> | undefined;
}

const BLOCKS_A_PAUSE_CHECK = 64;

/** Marks everything from the roots down. What is marked already is not walked again. */
export async function walkDag(
  roots: readonly CID[],
  store: WalkedStore,
  marks: CidMarks,
  options: WalkOptions,
): Promise<void> {
  const open = [...roots];
  for (let count = 1; ; count++) {
    const cid = open.pop();
    if (cid === undefined) return;
    if (count % BLOCKS_A_PAUSE_CHECK === 0) await options.pause();
    if (!marks.add(cid.multihash.digest)) continue;
    options.onVisit?.(cid);
    if (store.isObject(cid)) continue;
    if (cid.code === RAW_CODEC) {
      if (!store.isBlock(cid)) options.onMissing(cid);
      continue;
    }
    const bytes = store.block(cid);
    if (bytes === undefined) options.onMissing(cid);
    else for (const link of dagLinks(cid, bytes)) open.push(link);
  }
}
