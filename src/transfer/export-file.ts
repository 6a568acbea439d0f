import { CID } from 'multiformats/cid';
import { digestOfBytes } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { readNode } from '../image/dag/dag-node.ts';
import { readManifestRoot } from '../image/dag/image-roots.ts';
import type { LayerRecord, ManifestRecord } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import { missingBlock } from './stored-file.ts';
import { layerTar, openStoredLayer } from './stored-layer.ts';

/** A file of an archive that is being written; its content is made when it is reached. */
export interface ArchiveFile {
  readonly name: string;
  /** Exact bytes. */
  readonly size: number;
  readonly content: () => AsyncIterable<Uint8Array>;
}

const PIECE = 1024 * 1024;

export function bytesFile(name: string, bytes: Uint8Array): ArchiveFile {
  return {
    name,
    size: bytes.length,
    async *content() {
      yield bytes;
    },
  };
}

/** The layer's uncompressed tar, rebuilt. */
export function layerFile(store: Store, name: string, layer: LayerRecord, signal: AbortSignal): ArchiveFile {
  const { root, tarSize } = layer;
  if (root === undefined || tarSize === undefined || layer.diffId === undefined) {
    throw new Fault(
      'unsupported',
      'no-image-layers',
      `${layer.digest} is no layer that an engine could load`,
      {
        fields: { layer: layer.digest },
      },
    );
  }
  return {
    name,
    size: tarSize,
    async *content() {
      yield* layerTar(store, await openStoredLayer(store, CID.parse(root)), signal);
    },
  };
}

/** A file that is stored whole. */
export function objectFile(store: Store, name: string, cid: CID, size: number): ArchiveFile {
  return {
    name,
    size,
    async *content() {
      for (let at = 0; at < size; at += PIECE) yield await store.objects.read(cid, at, PIECE);
    },
  };
}

/** A JSON document of the image, one raw block or a short chunked file. */
export function jsonContent(store: Store, cid: CID): Uint8Array {
  const bytes = store.blocks.getSync(cid);
  if (bytes === undefined) throw missingBlock(cid);
  const node = readNode(cid, bytes);
  if (node.kind === 'raw') return bytes;
  return Buffer.concat(node.links.map(({ cid: leaf }) => jsonContent(store, leaf)));
}

export interface ManifestDocuments {
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
}

/** @throws Fault `corrupt/digest-mismatch` */
export function manifestDocuments(store: Store, record: ManifestRecord): ManifestDocuments {
  const shape = readManifestRoot(CID.parse(record.root), (cid) => store.blocks.getSync(cid));
  const manifest = jsonContent(store, shape.manifestJson);
  const config = shape.configJson === undefined ? new Uint8Array(0) : jsonContent(store, shape.configJson);
  if (digestOfBytes(manifest) !== record.digest || digestOfBytes(config) !== record.imageId) {
    throw new Fault(
      'corrupt',
      'digest-mismatch',
      `manifest root ${record.root} does not hold ${record.digest}`,
    );
  }
  return { manifest, config };
}
