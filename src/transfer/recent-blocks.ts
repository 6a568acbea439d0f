/**
 * Blocks that came last, for who reads right behind the fetch: a verification that takes each file from here saves an
 * open, a read and a close, three trips through the thread pool that cost more than the hash of a small file.
 */
export interface RecentBlocks {
  keep(index: number, bytes: Uint8Array): void;
  get(index: number): Uint8Array | undefined;
  /** It was read: the next time it comes from disk. */
  drop(index: number): void;
}

/** @param maxBytes above it the oldest go */
export function createRecentBlocks(maxBytes: number): RecentBlocks {
  const blocks = new Map<number, Uint8Array>();
  let held = 0;

  function drop(index: number): void {
    const bytes = blocks.get(index);
    if (bytes === undefined) return;
    blocks.delete(index);
    held -= bytes.length;
  }

  return {
    keep(index, bytes) {
      drop(index);
      blocks.set(index, bytes);
      held += bytes.length;
      for (const oldest of blocks.keys()) {
        if (held <= maxBytes) return;
        drop(oldest);
      }
    },
    get: (index) => blocks.get(index),
    drop,
  };
}
