import { readFileSync } from 'node:fs';
import type { CID } from 'multiformats/cid';
import { decodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import type { LayerIndex } from '../../../src/image/layer/layer-index.ts';
import { storeLayout } from '../../../src/store/store-layout.ts';
import type { MountableImage, WantedLeaves } from '../../../src/transfer/lazy/lazy-images.ts';
import type { LazyStation } from './lazy-station.ts';

/** A layer's index as the mount server reads it: the plain file. */
export function indexOf({ station }: LazyStation, image: MountableImage, layer: number): LayerIndex {
  const cid = image.indexes[layer] as string;
  return decodeLayerIndex(readFileSync(storeLayout(station.root).object(cid)));
}

/** The want of a file of a layer. @param leaves default: all */
export function wantOf(
  station: LazyStation,
  image: MountableImage,
  path: string,
  leaves?: readonly [number, number],
): WantedLeaves & { readonly cid: CID; readonly size: number } {
  for (let layer = image.indexes.length - 1; layer >= 0; layer--) {
    const index = indexOf(station, image, layer);
    for (let entry = 0; entry < index.entryCount; entry++) {
      if (Buffer.from(index.path(entry)).toString() !== path || index.object(entry) < 0) continue;
      const object = index.object(entry);
      const count = (index.objectLeaves(object)?.length ?? 32) / 32;
      const [first, end] = leaves ?? [0, count];
      const cid = index.objectCid(object);
      return { key: image.key, layer, object, first, end, path, cid, size: index.objectSize(object) };
    }
  }
  throw new Error(`no ${path}`);
}

/** What the mount server would read of an object: from `cas/` where it is whole, else from `partial/`. */
export function bytesHere({ station }: LazyStation, cid: CID, complete: boolean): Buffer {
  const layout = storeLayout(station.root);
  return readFileSync(complete ? layout.object(cid.toString()) : layout.partial(cid.toString()));
}
