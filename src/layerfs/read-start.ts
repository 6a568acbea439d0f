import { readSync } from 'node:fs';

/** The first `size` bytes of an open file in a buffer of their own; fewer where it ends before. */
export function readStart(file: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const got = readSync(file, bytes, at, size - at, at);
    if (got === 0) break;
    at += got;
  }
  return bytes.subarray(0, at);
}
