import type { LayerIndex } from '../image/layer/layer-index.ts';

/** Content bytes of all distinct objects of these layers. */
export function contentSizeOf(indexes: Iterable<LayerIndex>): number {
  const seen = new Set<string>();
  let bytes = 0;
  for (const index of indexes) {
    for (let object = 0; object < index.objectCount; object++) {
      const key = Buffer.from(index.objectDigest(object)).toString('latin1');
      if (seen.has(key)) continue;
      seen.add(key);
      bytes += index.objectSize(object);
    }
  }
  return bytes;
}
