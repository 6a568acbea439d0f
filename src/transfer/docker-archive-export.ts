import type { Digest } from '../base/digest.ts';
import {
  archiveConfigPath,
  archiveLayerPath,
  DOCKER_ARCHIVE_MANIFEST,
  writeDockerArchiveManifest,
} from '../image/oci/docker-archive.ts';
import type { LayerRecord, ManifestRecord } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import { type ArchiveFile, bytesFile, layerFile, manifestDocuments } from './export-file.ts';

/** What `docker save` writes and every engine loads: the config, plain layers, `manifest.json`. */
export function dockerArchiveFiles(
  store: Store,
  record: ManifestRecord,
  names: readonly string[],
  signal: AbortSignal,
): ArchiveFile[] {
  const { config } = manifestDocuments(store, record);
  // a layer that an image has twice is written once
  const layers = new Map<Digest, LayerRecord>(
    record.layers.map((layer) => [layer.diffId ?? layer.digest, layer]),
  );
  const paths = record.layers.map((layer) => archiveLayerPath(layer.diffId ?? layer.digest));
  const list = [{ config: archiveConfigPath(record.imageId), repoTags: names, layers: paths }];
  return [
    bytesFile(DOCKER_ARCHIVE_MANIFEST, writeDockerArchiveManifest(list)),
    bytesFile(archiveConfigPath(record.imageId), config),
    ...[...layers].map(([digest, layer]) => layerFile(store, archiveLayerPath(digest), layer, signal)),
  ];
}
