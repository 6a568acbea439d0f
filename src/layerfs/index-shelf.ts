import { closeSync, fstatSync, openSync } from 'node:fs';
import { Fault } from '../base/fault.ts';
import { decodeLayerIndex } from '../image/layer/index-codec.ts';
import { DEFAULT_INDEX_LIMITS } from '../image/layer/index-limits.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import type { StoreLayout } from '../store/store-layout.ts';
import { readStart } from './read-start.ts';

/** Decoded layer indexes by CID: one a layer, whichever chains use it. */
export interface IndexShelf {
  /**
   * Reads and decodes it where nobody has it yet.
   * @throws Fault of the decoder, `not-found/no-index`; what reading fails with
   */
  take(cid: string): LayerIndex;
  /** The reverse of {@link take}: the last one lets go of the bytes. */
  giveBack(cid: string): void;
  /** Of all that is taken: the indexes' own, and what their decoded form adds. */
  readonly bytes: number;
}

interface Taken {
  readonly index: LayerIndex;
  readonly bytes: number;
  users: number;
}

export function createIndexShelf(layout: StoreLayout): IndexShelf {
  const taken = new Map<string, Taken>();
  let total = 0;
  return {
    take(cid) {
      let one = taken.get(cid);
      if (one === undefined) {
        const bytes = readIndex(layout.object(cid), cid);
        const index = decodeLayerIndex(bytes);
        // First child of each entry and first leaf of each object: u32 and f64.
        one = { index, bytes: bytes.length + index.entryCount * 4 + index.objectCount * 8, users: 0 };
        taken.set(cid, one);
        total += one.bytes;
      }
      one.users++;
      return one.index;
    },
    giveBack(cid) {
      const one = taken.get(cid);
      if (one === undefined || --one.users > 0) return;
      taken.delete(cid);
      total -= one.bytes;
    },
    get bytes() {
      return total;
    },
  };
}

function readIndex(path: string, cid: string): Uint8Array {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Fault('not-found', 'no-index', `the layer index ${cid} is not here`, {
      fields: { cid },
      cause,
    });
  }
  try {
    const { size } = fstatSync(file);
    if (size > DEFAULT_INDEX_LIMITS.bytes) {
      throw new Fault('invalid', 'layer-index-too-big', `the layer index ${cid} has ${size} bytes`, {
        fields: { cid, value: size, limit: DEFAULT_INDEX_LIMITS.bytes },
      });
    }
    // Its own buffer: the decoded index looks into it as long as it lives.
    return readStart(file, size);
  } finally {
    closeSync(file);
  }
}
