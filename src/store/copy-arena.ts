/** Makes short-lived copies of small byte arrays. */
export interface CopyArena {
  /** A copy that is the caller's; the memory goes when all copies of one block are gone. */
  copy(bytes: Uint8Array): Uint8Array;
}

const BLOCK_SIZE = 1024 * 1024;
const LARGE = BLOCK_SIZE / 4;

/** Cuts copies out of blocks of 1 MiB: a Buffer of its own for each of 10,000 files costs as much as their hashes. */
export function createCopyArena(): CopyArena {
  let block = new Uint8Array(0);
  let used = 0;
  return {
    copy(bytes) {
      if (bytes.length > LARGE) return Buffer.from(bytes);
      if (used + bytes.length > block.length) {
        block = Buffer.allocUnsafeSlow(BLOCK_SIZE);
        used = 0;
      }
      const copy = block.subarray(used, used + bytes.length);
      copy.set(bytes);
      used += bytes.length;
      return copy;
    },
  };
}
