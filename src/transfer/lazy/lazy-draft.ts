import { CID } from 'multiformats/cid';
import { readLayerRoot } from '../../image/dag/image-roots.ts';
import type { ImageDraft } from '../../store/image-drafts.ts';
import type { ImageRecord, ManifestRecord } from '../../store/image-records.ts';
import type { Store } from '../../store/store.ts';
import type { MountableImage } from './lazy-images.ts';

/** What must be known of a lazy image beside its record, over restarts. */
export interface LazyMemo {
  /** What the user gave. */
  readonly reference: string;
  readonly address: string;
  /** The published root by which it was found: pinned with it where it lists nothing else. */
  readonly publishedRoot?: string;
  /** CIDs of the layer indexes, bottom first. */
  readonly indexes: readonly string[];
  /** `complete`: the record is pinned, the draft stands because the image is mounted. */
  readonly state: 'fetching' | 'complete' | 'quarantined';
  /** Why it was quarantined. */
  readonly why?: string;
  readonly mounted: boolean;
}

/** A draft as this room writes it. */
export interface LazyDraft extends ImageDraft {
  readonly memo: LazyMemo;
}

/** A draft as it was read: only this room writes any. */
export function asLazyDraft(draft: ImageDraft): LazyDraft {
  return draft as LazyDraft;
}

export function manifestOf({ record }: Pick<LazyDraft, 'record'>): ManifestRecord {
  return record.manifests[0] as ManifestRecord;
}

export function mountableOf(draft: LazyDraft, complete: boolean): MountableImage {
  const { imageId, platform } = manifestOf(draft);
  const { root: imageRoot, names } = draft.record;
  const { address, indexes } = draft.memo;
  return { key: draft.key, imageRoot, address, names, imageId, platform, indexes, complete };
}

/** The platform of a pinned image whose manifest root is `key`. */
export function findPinned(
  store: Store,
  key: string,
): { readonly record: ImageRecord; readonly manifest: ManifestRecord } | undefined {
  for (const record of store.images.all()) {
    const manifest = record.manifests.find(({ root }) => root === key);
    if (manifest !== undefined) return { record, manifest };
  }
  return undefined;
}

/** The draft by which a pinned image is kept while it is mounted; `undefined` where it cannot be mounted. */
export function draftOfPinned(store: Store, key: string): LazyDraft | undefined {
  const found = findPinned(store, key);
  const indexes = found && indexesOf(store, found.manifest);
  if (found === undefined || indexes === undefined) return undefined;
  const { record, manifest } = found;
  const published = record.publishedRoots.at(-1);
  const reference = record.names[0];
  const path = published !== undefined && reference !== undefined ? [published, reference] : [record.root];
  const address = ['/ipfs', ...path].join('/');
  const memo = {
    reference: reference ?? record.root,
    address,
    indexes,
    state: 'complete',
    mounted: false,
  } as const;
  return { key, record: { ...record, manifests: [manifest] }, memo };
}

/** `undefined` where a layer is no tar, or has no bytes. */
function indexesOf(store: Store, { layers }: ManifestRecord): string[] | undefined {
  const indexes: string[] = [];
  for (const { root, diffId } of layers) {
    if (root === undefined || diffId === undefined) return undefined;
    const cid = CID.parse(root);
    if (!store.blocks.has(cid)) return undefined;
    indexes.push(readLayerRoot(cid, (block) => store.blocks.getSync(block)).index.cid.toString());
  }
  return indexes;
}
