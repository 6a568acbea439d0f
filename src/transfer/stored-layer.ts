import type { CID } from 'multiformats/cid';
import { coalesce } from '../base/coalesce.ts';
import { Fault } from '../base/fault.ts';
import { orderedMap } from '../base/ordered-map.ts';
import { readLayerRoot } from '../image/dag/image-roots.ts';
import { decodeLayerIndex } from '../image/layer/index-codec.ts';
import type { DraftObject } from '../image/layer/layer-draft.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import { type RecipePiece, readRecipe } from '../image/layer/recipe-reader.ts';
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

/** Bytes read from one object at a time, and reads under way: what a rebuild holds in memory at most. */
const PIECE = 512 * 1024;
const READS_UNDER_WAY = 8;

export interface RebuildOptions {
  readonly signal: AbortSignal;
  /** Resolves when an object of the layer is complete here, perhaps with its bytes; absent: all are. */
  readonly objectReady?: (object: number) => Promise<Uint8Array | undefined>;
}

/** Rebuilds the layer's uncompressed tar from its recipe and its objects. */
export async function* layerPieces(
  store: Store,
  layer: StoredLayer,
  { signal, objectReady }: RebuildOptions,
): AsyncGenerator<TarPiece> {
  const { index } = layer;
  const ranges = splitRanges(readRecipe(storedFile(store, layer.recipeCid), index));
  yield* orderedMap(ranges, READS_UNDER_WAY, (piece) => {
    signal.throwIfAborted();
    if (piece.kind === 'literal') return { bytes: piece.bytes };
    const { object, offset, length } = piece;
    return readRange(object, offset, length);
  });

  async function readRange(object: number, offset: number, length: number): Promise<TarPiece> {
    const whole = await objectReady?.(object);
    const bytes =
      whole?.subarray(offset, offset + length) ??
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

async function* splitRanges(pieces: AsyncIterable<RecipePiece>): AsyncGenerator<RecipePiece> {
  for await (const piece of pieces) {
    if (piece.kind === 'literal') {
      yield piece;
      continue;
    }
    for (let at = 0; at < piece.length; at += PIECE) {
      yield { ...piece, offset: piece.offset + at, length: Math.min(PIECE, piece.length - at) };
    }
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
