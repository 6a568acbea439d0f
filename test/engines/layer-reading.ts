import { createHash } from 'node:crypto';
import { fileDag } from '../../src/image/dag/file-dag.ts';
import { decodeLayerIndex, encodeLayerIndex } from '../../src/image/layer/index-codec.ts';
import { createLayerDraft } from '../../src/image/layer/layer-draft.ts';
import type { LayerIndex } from '../../src/image/layer/layer-index.ts';
import { DEFAULT_LAYER_LIMITS } from '../../src/image/layer/layer-limits.ts';
import type { TarEntry } from '../../src/image/tar/tar-entry.ts';
import { DEFAULT_TAR_LIMITS } from '../../src/image/tar/tar-limits.ts';
import { createTarReader } from '../../src/image/tar/tar-reader.ts';

const CHUNK = 262_144;

/** A layer's index as shp makes it from a tar, through its bytes, and the sha256 of each object's content. */
export interface LayerReading {
  readonly index: LayerIndex;
  /** The sha256 (hex) of the content of an object of this layer. @param objectDigest as the index names it */
  content(objectDigest: Uint8Array): string | undefined;
}

/** The whole content of a sparse file out of the bytes that the tar holds. */
function expand(entry: TarEntry, stored: Buffer): Buffer {
  if (entry.sparse === undefined) return stored;
  const whole = Buffer.alloc(entry.size);
  let from = 0;
  for (const { offset, length } of entry.sparse) {
    stored.copy(whole, offset, from, from + length);
    from += length;
  }
  return whole;
}

export function readLayer(tar: Uint8Array): LayerReading {
  const draft = createLayerDraft(DEFAULT_LAYER_LIMITS);
  const contents = new Map<string, string>();
  let current: TarEntry | undefined;
  let stored: Buffer[] = [];
  const reader = createTarReader(
    {
      literal: () => {},
      entry: (entry) => {
        current = { ...entry, path: Buffer.from(entry.path), linkPath: Buffer.from(entry.linkPath) };
        stored = [];
      },
      content: (bytes) => stored.push(Buffer.from(bytes)),
      entryEnd: () => {
        const entry = current as TarEntry;
        if (entry.type !== 'file') return draft.add(entry);
        const whole = expand(entry, Buffer.concat(stored));
        const leaves: Buffer[] = [];
        for (let at = 0; at === 0 || at < whole.length; at += CHUNK) {
          leaves.push(
            createHash('sha256')
              .update(whole.subarray(at, at + CHUNK))
              .digest(),
          );
        }
        const hash = fileDag(whole.length, Buffer.concat(leaves)).cid.multihash.digest;
        contents.set(Buffer.from(hash).toString('hex'), createHash('sha256').update(whole).digest('hex'));
        draft.add(entry, { hash, size: whole.length, leaves: Buffer.concat(leaves) });
      },
    },
    DEFAULT_TAR_LIMITS,
  );
  // An odd size, so that headers lie across chunks.
  for (let at = 0; at < tar.length; at += 4099) reader.push(tar.subarray(at, at + 4099));
  reader.end();
  const index = decodeLayerIndex(encodeLayerIndex(draft.finish()));
  return {
    index,
    content: (digest) => contents.get(Buffer.from(digest).toString('hex')),
  };
}
