import { createReadStream, existsSync } from 'node:fs';
import type { CID } from 'multiformats/cid';
import { sha256 } from '../base/digest.ts';
import { CHUNK_SIZE } from '../image/dag/file-dag.ts';
import { createFileHasher } from '../image/dag/file-hasher.ts';
import { cidOfKey } from './block-key.ts';
import type { FileQueue } from './file-queue.ts';
import type { ObjectIndex } from './object-index.ts';
import { readRange } from './object-reader.ts';
import type { PartialObjects } from './partial-objects.ts';
import type { StoreLayout } from './store-layout.ts';
import { keyBehind } from './table.ts';

export interface RecoveryComponents {
  readonly layout: StoreLayout;
  readonly queue: FileQueue;
  readonly objects: ObjectIndex;
  readonly partialRows: ObjectIndex;
  readonly partials: PartialObjects;
}

export interface PowerLossReport {
  readonly checked: number;
  readonly dropped: number;
}

const ROWS_A_STEP = 512;
const READ_STEP = 1024 * 1024;

/**
 * After a power loss the row of an object may be on disk and its bytes not: hashes everything born since the last
 * sync again, and drops what is not what its CID says. Partial objects are checked leaf by leaf.
 * @param flushed birth number below which all was synced
 */
export async function checkAfterPowerLoss(
  flushed: number,
  components: RecoveryComponents,
): Promise<PowerLossReport> {
  const { layout, queue, objects, partialRows, partials } = components;
  let checked = 0;
  let dropped = 0;
  for await (const key of keysOf(objects)) {
    const row = objects.row(key);
    if (row === undefined || row.born < flushed) continue;
    checked++;
    const cid = cidOfKey(key);
    const path = layout.object(cid.toString());
    if (await hashesTo(path, cid)) continue;
    dropped++;
    objects.remove(key, partialRows.has(key));
    queue.push({ op: 'unlink', path });
  }
  for await (const key of keysOf(partialRows)) {
    const partial = partials.find(key);
    if (partial === undefined) continue;
    checked++;
    for (let leaf = 0; leaf < partial.leafCount; leaf++) {
      if (!partial.hasLeaf(leaf) || (await leafIsGood(partial.path, leaf, partial))) continue;
      dropped++;
      partial.forgetLeaf(leaf);
    }
    partial.writeBits();
  }
  await queue.idle();
  return { checked, dropped };
}

/**
 * A kill between the rename of a completed partial object and its row leaves the row of the partial one beside the file
 * of the whole one: it becomes the whole one. Where neither file is there, its bits mean nothing.
 */
export async function settlePartials({
  layout,
  queue,
  objects,
  partialRows,
}: RecoveryComponents): Promise<void> {
  for await (const key of keysOf(partialRows)) {
    const row = partialRows.row(key);
    const leaves = partialRows.leaves(key);
    const cid = cidOfKey(key);
    const name = cid.toString();
    if (existsSync(layout.partial(name))) continue;
    if (row !== undefined && leaves !== undefined && (await hashesTo(layout.object(name), cid))) {
      partialRows.remove(key, true);
      objects.put(key, { ...row, storedSize: row.size }, leaves);
    }
    queue.push({ op: 'unlink', path: layout.bits(name) });
  }
  await queue.idle();
}

async function* keysOf(rows: ObjectIndex): AsyncGenerator<Buffer> {
  for (let from: Buffer | undefined; ; ) {
    const found = rows.committedRows({ ...(from && { from }), limit: ROWS_A_STEP });
    for (const { key } of found) yield key;
    const last = found.at(-1);
    if (last === undefined) return;
    from = keyBehind(last.key);
  }
}

async function hashesTo(path: string, cid: CID): Promise<boolean> {
  const hasher = createFileHasher();
  try {
    for await (const bytes of createReadStream(path, { highWaterMark: READ_STEP }))
      hasher.update(bytes as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  return hasher.finish().cid.equals(cid);
}

async function leafIsGood(
  path: string,
  leaf: number,
  partial: { leafHash(leaf: number): Uint8Array; leafLength(leaf: number): number },
): Promise<boolean> {
  try {
    const bytes = await readRange(path, leaf * CHUNK_SIZE, partial.leafLength(leaf));
    return sha256(bytes).equals(partial.leafHash(leaf));
  } catch {
    return false;
  }
}
