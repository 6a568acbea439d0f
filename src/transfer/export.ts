import { pipeline, Readable } from 'node:stream';
import { CID } from 'multiformats/cid';
import { pack as createPack } from 'tar-stream';
import { readNode } from '../image/dag/dag-node.ts';
import type { ImageRecord, LayerRecord, ManifestRecord } from '../store/image-records.ts';
import type { Lease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import { dockerArchiveFiles } from './docker-archive-export.ts';
import type { ArchiveFile } from './export-file.ts';
import { ociArchiveFiles } from './oci-archive-export.ts';
import { missingBlock } from './stored-file.ts';
import { openStoredLayer } from './stored-layer.ts';

export type ExportFormat = 'docker-archive' | 'oci-archive';

export interface ExportOptions {
  readonly record: ImageRecord;
  /** A docker-archive has room for one; an OCI archive takes several where their blobs are kept. */
  readonly manifests: readonly [ManifestRecord, ...ManifestRecord[]];
  readonly format: ExportFormat;
  /** Names to write into the archive. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
}

export interface ExportedImage {
  readonly stream: Readable;
  /** Bytes of the stream. */
  readonly size: number;
}

const TAR_BLOCK = 512;
/** The two zero blocks at the end of a tar. */
const TAR_END = 1024;

/**
 * A tar that an engine loads, made while it is read. An OCI archive has the original manifest where the blobs are
 * kept, else the canonical one, whose layers are the plain tars.
 * @throws Fault `unsupported/no-image-layers` for artifacts, `unsupported/blobs-not-kept` for several platforms,
 *   `not-found/no-block`
 */
export function exportImage(store: Store, options: ExportOptions): ExportedImage {
  const { record, manifests, format, names, signal } = options;
  const lease = store.lease('export');
  try {
    seeImage(store, lease, record, manifests);
    const files =
      format === 'docker-archive'
        ? dockerArchiveFiles(store, manifests[0], names, signal)
        : ociArchiveFiles(store, record, manifests, names, signal);
    const size = files.reduce((sum, file) => sum + TAR_BLOCK + padded(file.size), TAR_END);
    const layers = manifests.flatMap((manifest) => manifest.layers);
    return { stream: packFiles(files, () => seeLayers(store, lease, layers), lease, signal), size };
  } catch (error) {
    lease.end();
    throw error;
  }
}

function packFiles(
  files: readonly ArchiveFile[],
  prepare: () => Promise<void>,
  lease: Lease,
  signal: AbortSignal,
): Readable {
  const pack = createPack();
  const run = async (): Promise<void> => {
    await prepare();
    for (const { name, size, content } of files) {
      signal.throwIfAborted();
      const entry = pack.entry({ name, size, mtime: new Date(0), mode: 0o644, uid: 0, gid: 0 });
      await new Promise<void>((resolve, reject) => {
        pipeline(Readable.from(content()), entry as unknown as NodeJS.WritableStream, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    }
    pack.finalize();
  };
  const stream = Readable.from(pack as unknown as AsyncIterable<Uint8Array>, { objectMode: false });
  stream.once('close', () => {
    lease.end();
    pack.destroy();
  });
  run().catch((error) => stream.destroy(error as Error));
  return stream;
}

/** A lease holds what it saw, not what hangs below: the image may be removed while it is read. */
async function seeLayers(store: Store, lease: Lease, layers: readonly LayerRecord[]): Promise<void> {
  for (const { root, diffId } of layers) {
    if (root === undefined) continue;
    lease.see(CID.parse(root));
    if (diffId === undefined) continue;
    const layer = await openStoredLayer(store, CID.parse(root));
    lease.see(layer.indexCid);
    seeFile(store, lease, layer.recipeCid);
    for (let object = 0; object < layer.index.objectCount; object++) lease.see(layer.index.objectCid(object));
  }
}

function seeFile(store: Store, lease: Lease, cid: CID): void {
  lease.see(cid);
  const bytes = store.blocks.getSync(cid);
  if (bytes === undefined) throw missingBlock(cid);
  const node = readNode(cid, bytes);
  if (node.kind !== 'raw') for (const link of node.links) seeFile(store, lease, link.cid);
}

function seeImage(
  store: Store,
  lease: Lease,
  record: ImageRecord,
  manifests: readonly ManifestRecord[],
): void {
  lease.see(CID.parse(record.root));
  for (const { root } of manifests) lease.see(CID.parse(root));
  for (const { cid } of record.keptBlobs) lease.see(CID.parse(cid));
  store.images.touch(record.root);
}

function padded(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}
