import type { CID } from 'multiformats/cid';
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { readNode } from '../image/dag/dag-node.ts';
import type { GetBlock } from '../image/dag/directory-walk.ts';
import { CHUNK_SIZE, RAW_CODEC } from '../image/dag/file-dag.ts';
import { readLayerRoot } from '../image/dag/image-roots.ts';
import { decodeLayerIndex } from '../image/layer/index-codec.ts';
import { layerTree } from '../image/layer/layer-tree.ts';
import { verifyObjects } from '../image/layer/object-check.ts';
import type { Lease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import { fileLeaves } from './file-leaves.ts';
import type { PullPart } from './pull-targets.ts';
import type { PulledLayer } from './pulled-manifest.ts';
import { missingBlock } from './stored-file.ts';
import type { StoredLayer } from './stored-layer.ts';

const MAX_DEPTH = 8;

/** A tar layer of a pull: what has to come, and how to read it when it is here. */
export interface PullLayer {
  readonly part: PullPart;
  readonly layer: StoredLayer;
  readonly diffId: Digest;
}

/**
 * Stores a layer's index and tree, and checks what the index alone can show: as {@link takeLayerIndex} and
 * {@link takeLayerTree}.
 */
export async function takeLayer(
  store: Store,
  lease: Lease,
  root: CID,
  diffId: Digest,
  get: GetBlock,
): Promise<PullLayer> {
  const layer = await takeLayerIndex(store, lease, root, diffId, get);
  takeLayerTree(store, lease, layer);
  return layer;
}

/**
 * Stores a layer's index: its bytes are the index object's, and the objects' roots are those of their leaves.
 * @throws Fault `corrupt/bad-layer-index`, `not-found/no-block`
 */
export async function takeLayerIndex(
  store: Store,
  lease: Lease,
  root: CID,
  diffId: Digest,
  get: GetBlock,
): Promise<PullLayer> {
  const shape = readLayerRoot(root, get);
  const bytes = await takeIndex(store, lease, shape.index.cid, get);
  const index = decodeLayerIndex(bytes);
  verifyObjects(index);
  lease.see(root);
  return {
    layer: { root, index, indexCid: shape.index.cid, recipeCid: shape.tar.cid },
    part: { index, file: { cid: shape.tar.cid, ...fileLeaves(shape.tar, get) } },
    diffId,
  };
}

/**
 * Makes a layer's tree from its index and stores it: it must be the one that the layer root, which is here, links. 8,000
 * entries take 160 ms.
 * @throws Fault `corrupt/tree-mismatch`
 */
export function takeLayerTree(store: Store, lease: Lease, { layer: { root, index } }: PullLayer): void {
  const shape = readLayerRoot(root, (cid) => store.blocks.getSync(cid));
  const tree = layerTree(index);
  if (tree.cid.toString() !== shape.tree.cid.toString()) {
    throw new Fault(
      'corrupt',
      'tree-mismatch',
      `the tree of layer ${root} is not the one that its index describes`,
      {
        fields: { layer: root.toString(), found: tree.cid.toString() },
      },
    );
  }
  for (const block of tree.blocks) store.blocks.put(lease, block.cid, block.bytes);
  lease.see(root);
}

async function takeIndex(store: Store, lease: Lease, cid: CID, get: GetBlock): Promise<Uint8Array> {
  const known = store.objects.info(cid);
  if (known !== undefined) {
    lease.see(cid);
    return store.objects.read(cid, 0, known.size);
  }
  const bytes = Buffer.concat([...fileBytes(cid, get)]);
  const writer = store.objects.write(lease, bytes.length);
  writer.write(bytes);
  const object = writer.finish();
  if (object.cid.toString() === cid.toString()) return bytes;
  throw new Fault('corrupt', 'bad-layer-index', `the layer index ${cid} is not chunked as shp does it`, {
    fields: { index: cid.toString() },
  });
}

function* fileBytes(cid: CID, get: GetBlock): Generator<Uint8Array> {
  const bytes = get(cid);
  if (bytes === undefined) {
    throw missingBlock(cid);
  }
  const node = readNode(cid, bytes);
  if (node.kind === 'raw') yield bytes;
  else for (const { cid: child } of node.links) yield* fileBytes(child, get);
}

/** A blob that is no layer, as a file of its exact bytes. Its inner nodes may have to be fetched. */
export async function blobPart(
  layer: PulledLayer & { readonly root: CID },
  get: (cid: CID) => Promise<Uint8Array>,
): Promise<PullPart> {
  const { root, size } = layer;
  if (size <= CHUNK_SIZE && root.code === RAW_CODEC)
    return { file: { cid: root, size, leaves: root.multihash.digest } };
  const nodes = new Map<string, Uint8Array>();
  // a node of fewer than two links is only ever the last of its row
  await collectNodes(root, get, nodes, Math.ceil(size / CHUNK_SIZE) + MAX_DEPTH);
  const file = fileLeaves({ cid: root, tsize: 0 }, (cid) => nodes.get(cid.toString()));
  if (file.size !== size) {
    throw new Fault(
      'corrupt',
      'digest-mismatch',
      `blob ${layer.digest} has ${file.size} bytes, its manifest says ${size}`,
      {
        fields: { blob: layer.digest },
      },
    );
  }
  return { file: { cid: root, ...file } };
}

async function collectNodes(
  cid: CID,
  get: (cid: CID) => Promise<Uint8Array>,
  nodes: Map<string, Uint8Array>,
  most: number,
  depth = 0,
): Promise<void> {
  if (nodes.size > most || depth > MAX_DEPTH || cid.code === RAW_CODEC) {
    throw new Fault('corrupt', 'bad-file', `${cid} is no UnixFS file as shp makes it`, {
      fields: { file: cid.toString() },
    });
  }
  const bytes = await get(cid);
  nodes.set(cid.toString(), bytes);
  for (const { cid: child } of readNode(cid, bytes).links) {
    if (child.code !== RAW_CODEC) await collectNodes(child, get, nodes, most, depth + 1);
  }
}
