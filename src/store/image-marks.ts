import { CID } from 'multiformats/cid';
import { readNode } from '../image/dag/dag-node.ts';
import { DAG_PB_CODEC } from '../image/dag/file-dag.ts';
import type { CidMarks } from './cid-marks.ts';
import { type WalkedStore, type WalkOptions, walkDag } from './dag-walk.ts';
import type { ImageRecord } from './image-records.ts';

/** The image root's own block and the directory `manifests`, not the platforms in it. */
const IMAGE_ROOT_DEPTH = 1;
/** Directories that the slashes of a name make. */
const PUBLISHED_ROOT_DEPTH = 16;

/**
 * Marks all that one image keeps: its manifest roots and kept blobs with everything below, its image root without the
 * platforms that it does not keep, the directories of its published roots, and its start-up profiles.
 * `onMissing` is called for what must be here: all but published roots, profiles and what hangs on the image root by itself.
 */
export async function markImage(
  record: ImageRecord,
  store: WalkedStore,
  marks: CidMarks,
  options: WalkOptions,
): Promise<void> {
  const whole = new Set([
    ...record.manifests.map(({ root }) => root),
    ...record.keptBlobs.map(({ cid }) => cid),
  ]);
  const roots = [...whole].map((text) => CID.parse(text));
  await walkDag(roots, store, marks, options);
  const stops = new Set(whole);
  if (!stops.has(record.root)) {
    const root = CID.parse(record.root);
    if (store.block(root) === undefined && !store.isObject(root)) options.onMissing(root);
    await markOutline(root, IMAGE_ROOT_DEPTH, stops, store, marks, options);
    stops.add(record.root);
  }
  for (const published of record.publishedRoots) {
    await markOutline(CID.parse(published), PUBLISHED_ROOT_DEPTH, stops, store, marks, options);
  }
  for (const { profile, recorded } of record.profiles ?? []) {
    const blocks = [profile, ...recorded].map((text) => CID.parse(text));
    await walkDag(blocks, store, marks, { ...options, onMissing: () => {} });
  }
}

/** Marks directories down to `depth`, and what is no directory whole; never enters a stop. What is missing is no fault. */
async function markOutline(
  root: CID,
  depth: number,
  stops: ReadonlySet<string>,
  store: WalkedStore,
  marks: CidMarks,
  options: WalkOptions,
): Promise<void> {
  const files: CID[] = [];
  const visit = (cid: CID, left: number): void => {
    if (stops.has(cid.toString())) return;
    const bytes = cid.code === DAG_PB_CODEC && !store.isObject(cid) ? store.block(cid) : undefined;
    const node = bytes && readNode(cid, bytes);
    if (node === undefined || node.kind === 'file') {
      files.push(cid);
      return;
    }
    if (marks.add(cid.multihash.digest)) options.onVisit?.(cid);
    if (left > 0) for (const link of node.links) visit(link.cid, left - 1);
  };
  visit(root, depth);
  await walkDag(files, store, marks, { ...options, onMissing: () => {} });
}
