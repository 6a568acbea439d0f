/**
 * Blocks that came last, for who reads right behind the fetch: a verification that takes each small file from here saves
 * an open, a read and a close, three trips through the thread pool that cost more than the hash of the file.
 */
export interface RecentBlocks {
  keep(index: number, bytes: Uint8Array): void;
  /** Gives it away: the next time it is read from disk. */
  take(index: number): Uint8Array | undefined;
}

/** @param maxBytes above it the oldest go */
export function createRecentBlocks(maxBytes: number): RecentBlocks {
  const blocks = new Map<number, Uint8Array>();
  let held = 0;

  function drop(index: number): Uint8Array | undefined {
    const bytes = blocks.get(index);
    if (bytes === undefined) return undefined;
    blocks.delete(index);
    held -= bytes.length;
    return bytes;
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
    take: drop,
  };
}
