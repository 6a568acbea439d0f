import { type Digest, digestOfBytes } from '../base/digest.ts';
import type { DagLink } from '../image/dag/dag-block.ts';
import { imageRoot, jsonFile, type ManifestEntry, manifestRoot } from '../image/dag/image-roots.ts';
import type { KeptBlob, LayerRecord, ManifestRecord } from '../store/image-records.ts';
import type { Lease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import type { ImportedBlob } from './blob-import.ts';
import { dagOfObject } from './layer-blocks.ts';
import type { SourceImage, SourceLayer, SourceManifest } from './source-image.ts';
import { layerTar, openStoredLayer } from './stored-layer.ts';

/** An image whose every block is stored. */
export interface StoredImage {
  readonly root: DagLink;
  readonly indexDigest?: Digest;
  readonly manifests: readonly ManifestRecord[];
  readonly keptBlobs: readonly KeptBlob[];
}

/** Stores JSON and directories above the layers that were imported. */
export async function storeImageDag(
  store: Store,
  lease: Lease,
  source: SourceImage,
  keepBlobs: boolean,
): Promise<StoredImage> {
  const manifests: StoredManifest[] = [];
  for (const manifest of source.manifests) manifests.push(await storeManifest(store, lease, manifest));
  const index = source.index === undefined ? undefined : storeJson(store, lease, source.index);
  const root = imageRoot({
    ...(index === undefined ? {} : { index }),
    manifests: manifests.map(({ entry }) => entry),
  });
  for (const { cid, bytes } of root.blocks) store.blocks.put(lease, cid, bytes);
  return {
    root: { cid: root.cid, tsize: root.tsize },
    ...(source.index === undefined ? {} : { indexDigest: digestOfBytes(source.index) }),
    manifests: manifests.map(({ record }) => record),
    keptBlobs: keepBlobs ? keptBlobs(source) : [],
  };
}

interface StoredManifest {
  readonly entry: ManifestEntry;
  readonly record: ManifestRecord;
}

async function storeManifest(store: Store, lease: Lease, source: SourceManifest): Promise<StoredManifest> {
  const digest = digestOfBytes(source.bytes);
  const layers: LinkedLayer[] = [];
  for (const layer of source.layers) {
    layers.push(await storeLayer(store, lease, layer, source.diffIds !== undefined));
  }
  const root = manifestRoot({
    manifest: storeJson(store, lease, source.bytes),
    config: storeJson(store, lease, source.config.bytes),
    layers: layers.map(({ link }) => link),
  });
  for (const { cid, bytes } of root.blocks) store.blocks.put(lease, cid, bytes);
  return {
    entry: { digest, root: { cid: root.cid, tsize: root.tsize } },
    record: {
      root: root.cid.toString(),
      digest,
      mediaType: source.mediaType,
      imageId: source.config.digest,
      platform: source.platform,
      layers: layers.map(({ record }) => record),
    },
  };
}

interface LinkedLayer {
  readonly link: DagLink | undefined;
  readonly record: LayerRecord;
}

/** @param isImage the config has diffIDs: tars are layers; else every blob is a file of its exact bytes */
async function storeLayer(
  store: Store,
  lease: Lease,
  layer: SourceLayer,
  isImage: boolean,
): Promise<LinkedLayer> {
  const { digest, mediaType, size, blob } = layer;
  const record: LayerRecord = { digest, mediaType, size };
  if (blob === undefined) return { link: undefined, record };
  if (isImage && blob.kind === 'layer') {
    const { root, diffId, tarSize } = blob.layer;
    return { link: root, record: { ...record, diffId, tarSize, root: root.cid.toString() } };
  }
  const link = await exactBytes(store, lease, blob);
  return { link, record: { ...record, root: link.cid.toString() } };
}

/** The blob as a UnixFS file of its exact bytes: what is no layer of an image stays as it is. */
async function exactBytes(store: Store, lease: Lease, blob: ImportedBlob): Promise<DagLink> {
  if (blob.kind === 'file') return dagOfObject(blob.object);
  if (blob.kind === 'layer' && blob.kept !== undefined) return dagOfObject(blob.kept);
  const writer = store.objects.write(lease, blob.size);
  if (blob.kind === 'small') {
    writer.write(blob.bytes);
  } else {
    // a plain tar was taken apart while it was not yet known that no image has it as a layer
    const layer = await openStoredLayer(store, blob.layer.root.cid);
    for await (const bytes of layerTar(store, layer, new AbortController().signal)) {
      writer.write(bytes);
      await store.objects.drained(lease);
    }
  }
  return dagOfObject(writer.finish());
}

function storeJson(store: Store, lease: Lease, bytes: Uint8Array): DagLink {
  const file = jsonFile(bytes);
  for (const block of file.blocks) store.blocks.put(lease, block.cid, block.bytes);
  return file;
}

function keptBlobs(source: SourceImage): KeptBlob[] {
  const kept = new Map<Digest, KeptBlob>();
  for (const { layers } of source.manifests) {
    for (const { digest, mediaType, blob } of layers) {
      if (blob?.kind !== 'layer' || blob.kept === undefined) continue;
      kept.set(digest, { digest, mediaType, cid: blob.kept.cid.toString(), size: blob.kept.size });
    }
  }
  return [...kept.values()];
}
