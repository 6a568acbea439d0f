import type { CID } from 'multiformats/cid';
import type { DagLink } from '../image/dag/dag-block.ts';
import { CHUNK_SIZE, type FileDag, fileDag, rawCid } from '../image/dag/file-dag.ts';
import { createFileHasher } from '../image/dag/file-hasher.ts';
import { layerRoot } from '../image/dag/image-roots.ts';
import { decodeLayerIndex, encodeLayerIndex } from '../image/layer/index-codec.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import { layerTree } from '../image/layer/layer-tree.ts';
import { encodeRecipe, type ReadDropped } from '../image/layer/tar-recipe.ts';
import type { AssembledLayer } from './layer-assembly.ts';

/** Where the blocks of a layer go that are not its files' content; a verification lets them go. */
export interface LayerBlockSink {
  /** The layer index, whole. */
  index(bytes: Uint8Array): FileDag;
  block(cid: CID, bytes: Uint8Array): void;
  readonly readDropped: ReadDropped;
  /** Back-pressure. */
  drained(): Promise<void> | undefined;
}

export interface LayerDag {
  readonly root: DagLink & { readonly cid: CID };
  readonly index: LayerIndex;
  /** Of the index object. */
  readonly indexCid: CID;
  readonly recipeCid: CID;
  /** Bytes of the uncompressed tar. */
  readonly tarSize: number;
}

/** Makes index, recipe, tree and layer root of an assembled layer and hands their blocks out. */
export async function writeLayerBlocks(layer: AssembledLayer, sink: LayerBlockSink): Promise<LayerDag> {
  const indexBytes = encodeLayerIndex(layer.entries);
  const index = decodeLayerIndex(indexBytes);
  const indexDag = sink.index(indexBytes);
  const recipe = await writeRecipe(layer, sink);
  const tree = layerTree(index);
  for (const { cid, bytes } of tree.blocks) sink.block(cid, bytes);
  const root = layerRoot({ index: indexDag, tar: recipe, tree });
  for (const { cid, bytes } of root.blocks) sink.block(cid, bytes);
  return {
    root: { cid: root.cid, tsize: root.tsize },
    index,
    indexCid: indexDag.cid,
    recipeCid: recipe.cid,
    tarSize: layer.recipe.tarSize,
  };
}

async function writeRecipe(layer: AssembledLayer, sink: LayerBlockSink): Promise<FileDag> {
  let leaf = Buffer.allocUnsafe(CHUNK_SIZE);
  let filled = 0;
  const hasher = createFileHasher({
    onLeaf: (_index, hash) => {
      sink.block(rawCid(hash.slice()), filled === CHUNK_SIZE ? leaf : Buffer.from(leaf.subarray(0, filled)));
      leaf = Buffer.allocUnsafe(CHUNK_SIZE);
      filled = 0;
    },
  });
  for await (const bytes of encodeRecipe(layer.recipe, layer.entries, sink.readDropped)) {
    for (let at = 0; at < bytes.length; ) {
      const step = Math.min(CHUNK_SIZE - filled, bytes.length - at);
      const piece = bytes.subarray(at, at + step);
      leaf.set(piece, filled);
      filled += step;
      at += step;
      hasher.update(piece);
    }
    await sink.drained();
  }
  const { dag } = hasher.finish();
  for (const { cid, bytes } of dag.nodes) sink.block(cid, bytes);
  return dag;
}

/** A sink that keeps nothing: what a verification compares is the root alone. */
export function hashingSink(readDropped: ReadDropped): LayerBlockSink {
  return {
    index(bytes) {
      const hasher = createFileHasher();
      hasher.update(bytes);
      return hasher.finish().dag;
    },
    block: () => {},
    readDropped,
    drained: () => undefined,
  };
}

/** The DAG of a stored file from what the store knows of it. */
export function dagOfObject(object: { cid: CID; size: number; leaves?: Uint8Array }): FileDag {
  return fileDag(object.size, object.leaves ?? object.cid.multihash.digest);
}
