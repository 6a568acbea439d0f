import { CID } from 'multiformats/cid';
import type { ImageDetail, ImageSummary, LayerView, ManifestSummary } from '../observe/control/views.ts';
import type { ImageRecord, LayerRecord, ManifestRecord } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import { openStoredLayer } from '../transfer/stored-layer.ts';

export function manifestSummary({ root, digest, imageId, platform }: ManifestRecord): ManifestSummary {
  return { root, digest, imageId, platform };
}

/** @param copies other stations that hold it, where known */
export function imageSummary(record: ImageRecord, copies?: number): ImageSummary {
  const { root, publishedRoots, names, state, shared, origin, contentSize, createdAt, usedAt } = record;
  return {
    root,
    publishedRoots,
    names,
    ...(record.indexDigest === undefined ? {} : { indexDigest: record.indexDigest }),
    manifests: record.manifests.map(manifestSummary),
    state,
    shared,
    ...(copies === undefined ? {} : { copies }),
    origin,
    contentSize,
    keptBlobs: record.keptBlobs.length,
    keptBlobBytes: record.keptBlobs.reduce((sum, { size }) => sum + size, 0),
    createdAt,
    usedAt,
  };
}

export async function imageDetail(store: Store, record: ImageRecord): Promise<ImageDetail> {
  const layers: LayerView[] = [];
  for (const manifest of record.manifests) {
    for (const [index, layer] of manifest.layers.entries()) {
      layers.push(await layerView(store, manifest.platform, index, layer));
    }
  }
  return { ...imageSummary(record), layers };
}

async function layerView(
  store: Store,
  platform: string,
  index: number,
  layer: LayerRecord,
): Promise<LayerView> {
  const { digest, diffId, mediaType, size, root, tarSize } = layer;
  const isTar = root !== undefined && diffId !== undefined;
  const entries = isTar ? (await openStoredLayer(store, CID.parse(root))).index.entryCount : undefined;
  return {
    platform,
    index,
    digest,
    mediaType,
    size,
    ...(diffId === undefined ? {} : { diffId }),
    ...(root === undefined ? {} : { root }),
    ...(tarSize === undefined ? {} : { tarSize }),
    ...(entries === undefined ? {} : { entries }),
  };
}
