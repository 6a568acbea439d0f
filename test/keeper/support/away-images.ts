import {
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import { DEFAULT_INDEX_LIMITS } from '../../../src/image/layer/index-limits.ts';
import type { LayerIndex } from '../../../src/image/layer/layer-index.ts';
import { bitmapLength, countBits, setBit } from '../../../src/store/leaf-bitmap.ts';
import { storeLayout } from '../../../src/store/store-layout.ts';
import type { LazyImages, MountableImage, WantedLeaves } from '../../../src/transfer/lazy/lazy-images.ts';

const LEAF = 262_144;

/** How content comes, in a file that the test writes: `<root>/away.json`. */
export interface Away {
  /** Before a want is answered, ms. */
  readonly delay: number;
  /** Nothing comes. */
  readonly hold: boolean;
  /** What is used first is of interest. */
  readonly recording?: boolean;
}

export const awayFolder = (root: string): string => join(root, 'away');
export const awaySettings = (root: string): string => join(root, 'away.json');

/**
 * Images whose missing objects lie in a folder beside the store and come when they are wanted, after a while: what a
 * peer does, without a network.
 */
export function createAwayImages(
  root: string,
  images: readonly MountableImage[],
): LazyImages & { readonly wants: WantedLeaves[]; readonly touches: unknown[] } {
  const layout = storeLayout(root);
  const indexes = new Map<string, LayerIndex>();
  const bitmaps = new Map<string, Uint8Array>();
  const used = new Set<string>();
  const wants: WantedLeaves[] = [];
  const touches: unknown[] = [];

  const away = (): Away => JSON.parse(readFileSync(awaySettings(root), 'utf8')) as Away;

  function indexOf(cid: string): LayerIndex {
    let index = indexes.get(cid);
    if (index === undefined) {
      index = decodeLayerIndex(readFileSync(layout.object(cid)), DEFAULT_INDEX_LIMITS);
      indexes.set(cid, index);
    }
    return index;
  }

  function bring(cid: string, size: number, first: number, end: number): boolean {
    if (existsSync(layout.object(cid))) return true;
    const source = join(awayFolder(root), cid);
    mkdirSync(dirname(layout.object(cid)), { recursive: true });
    mkdirSync(layout.partials, { recursive: true });
    if (size <= 2 ** 20) {
      const temporary = join(layout.partials, `${cid}.new`);
      copyFileSync(source, temporary);
      renameSync(temporary, layout.object(cid));
      return true;
    }
    const leaves = Math.ceil(size / LEAF);
    let bitmap = bitmaps.get(cid);
    if (bitmap === undefined) {
      bitmap = existsSync(layout.bits(cid))
        ? new Uint8Array(readFileSync(layout.bits(cid)))
        : new Uint8Array(bitmapLength(leaves));
      bitmaps.set(cid, bitmap);
    }
    const bytes = readFileSync(source);
    const file = openSync(layout.partial(cid), existsSync(layout.partial(cid)) ? 'r+' : 'w+', 0o644);
    ftruncateSync(file, size);
    for (let leaf = first; leaf < end; leaf++) {
      const at = leaf * LEAF;
      writeSync(file, bytes, at, Math.min(LEAF, size - at), at);
      setBit(bitmap, leaf);
    }
    closeSync(file);
    if (countBits(bitmap, leaves) === leaves) {
      renameSync(layout.partial(cid), layout.object(cid));
      return true;
    }
    writeFileSync(`${layout.bits(cid)}.new`, bitmap);
    renameSync(`${layout.bits(cid)}.new`, layout.bits(cid));
    return false;
  }

  return {
    wants,
    touches,
    async want(leaves, signal) {
      wants.push(leaves);
      const image = images.find(({ key }) => key === leaves.key);
      const index = indexOf(image?.indexes[leaves.layer] ?? '');
      const cid = index.objectCid(leaves.object).toString();
      await sleep(away().delay, undefined, { signal });
      while (away().hold) await sleep(20, undefined, { signal });
      return { complete: bring(cid, index.objectSize(leaves.object), leaves.first, leaves.end) };
    },
    async open() {
      throw new Error('nothing is opened here');
    },
    get: (key) => images.find((image) => image.key === key),
    list: () => [],
    touched: (key, ranges) => touches.push([key, ranges]),
    recording: () => away().recording === true,
    used(key, mounted) {
      if (mounted) used.add(key);
      else used.delete(key);
    },
    mounted: () => [...used],
    checkUnused() {},
    remove: async () => undefined,
    onChange: () => () => {},
    resume: async () => {},
    stop: async () => {},
  };
}
