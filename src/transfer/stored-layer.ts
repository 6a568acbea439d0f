import type { CID } from 'multiformats/cid';
import { coalesce } from '../base/coalesce.ts';
import { Fault } from '../base/fault.ts';
import { CHUNK_SIZE } from '../image/dag/file-dag.ts';
import { readLayerRoot } from '../image/dag/image-roots.ts';
import { decodeLayerIndex } from '../image/layer/index-codec.ts';
import type { DraftObject } from '../image/layer/layer-draft.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import { readRecipe } from '../image/layer/recipe-reader.ts';
import type { Store } from '../store/store.ts';
import { storedFile } from './stored-file.ts';

/** A layer whose index and recipe are here. */
export interface StoredLayer {
  readonly root: CID;
  readonly index: LayerIndex;
  readonly indexCid: CID;
  readonly recipeCid: CID;
}

/** @throws Fault `not-found/no-block`, `corrupt/bad-root`, `corrupt/bad-layer-index` */
export async function openStoredLayer(store: Store, root: CID): Promise<StoredLayer> {
  const shape = readLayerRoot(root, (cid) => store.blocks.getSync(cid));
  const info = store.objects.info(shape.index.cid);
  if (info === undefined) {
    throw new Fault('not-found', 'no-object', `the index ${shape.index.cid} of layer ${root} is not here`);
  }
  const bytes = await store.objects.read(shape.index.cid, 0, info.size);
  return { root, index: decodeLayerIndex(bytes), indexCid: shape.index.cid, recipeCid: shape.tar.cid };
}

/** The next bytes of a rebuilt tar, and the object they were taken from. */
export interface TarPiece {
  readonly bytes: Uint8Array;
  readonly source?: { readonly object: DraftObject; readonly offset: number };
}

/** Bytes read from one object at a time, and pieces under way: what a rebuild holds in memory at most. */
const PIECE = 2 * CHUNK_SIZE;
const PIECES_UNDER_WAY = 8;

export interface RebuildOptions {
  readonly signal: AbortSignal;
  /**
   * Asked for a range of one leaf before it is read: resolves with its bytes, or when the object is complete here.
   * Absent: all objects are.
   */
  readonly rangeReady?:
    | ((object: number, offset: number, length: number) => Promise<Uint8Array | undefined>)
    | undefined;
}

/** Rebuilds the layer's uncompressed tar from its recipe and its objects. */
export async function* layerPieces(
  store: Store,
  layer: StoredLayer,
  { signal, rangeReady }: RebuildOptions,
): AsyncGenerator<TarPiece> {
  const { index } = layer;
  const step = rangeReady === undefined ? PIECE : CHUNK_SIZE;
  const underWay: (Promise<TarPiece> | TarPiece)[] = [];
  // One generator: each more of them costs every piece three turns of the microtask queue, 24,000 times an image.
  for await (const piece of readRecipe(storedFile(store, layer.recipeCid), index)) {
    signal.throwIfAborted();
    if (piece.kind === 'literal') {
      underWay.push({ bytes: piece.bytes });
    } else {
      const end = piece.offset + piece.length;
      for (let at = piece.offset; at < end; ) {
        const next = Math.min(end, at - (at % step) + step);
        const reading = readRange(piece.object, at, next - at);
        // an abandoned failure must not become an unhandled rejection
        reading.catch(() => {});
        underWay.push(reading);
        at = next;
        if (at < end && underWay.length > PIECES_UNDER_WAY) yield underWay.shift() as Promise<TarPiece>;
      }
    }
    while (underWay.length > PIECES_UNDER_WAY) yield underWay.shift() as Promise<TarPiece> | TarPiece;
  }
  while (underWay.length > 0) yield underWay.shift() as Promise<TarPiece> | TarPiece;

  async function readRange(object: number, offset: number, length: number): Promise<TarPiece> {
    const bytes =
      (await rangeReady?.(object, offset, length)) ??
      (await store.objects.read(index.objectCid(object), offset, length));
    if (bytes.length !== length) {
      throw new Fault(
        'corrupt',
        'short-object',
        `object ${index.objectCid(object)} is shorter than its index says`,
      );
    }
    const leaves = index.objectLeaves(object);
    return {
      bytes,
      source: {
        offset,
        object: {
          hash: index.objectDigest(object),
          size: index.objectSize(object),
          ...(leaves === undefined ? {} : { leaves }),
        },
      },
    };
  }
}

/** The layer's uncompressed tar in chunks fit for a socket. */
export async function* layerTar(
  store: Store,
  layer: StoredLayer,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const piece of layerPieces(store, layer, { signal })) yield piece.bytes;
  }
  yield* coalesce(bytes(), 256 * 1024);
}

/** The layer's objects in the order in which the tar needs them, each as often as it does. */
export async function* objectsInTarOrder(store: Store, layer: StoredLayer): AsyncGenerator<number> {
  for await (const piece of readRecipe(storedFile(store, layer.recipeCid), layer.index)) {
    if (piece.kind === 'object') yield piece.object;
  }
}
