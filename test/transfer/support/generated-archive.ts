import { createCipheriv } from 'node:crypto';
import { rawHeader } from '../../support/raw-tar.ts';

const PIECE = 256 * 1024;

/** Bytes that do not compress and never repeat. */
function* noise(size: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 3), Buffer.alloc(16));
  const zeros = Buffer.alloc(PIECE);
  for (let left = size; left > 0; left -= PIECE)
    yield cipher.update(zeros.subarray(0, Math.min(left, PIECE)));
}

/** A layer of `count` files of `size` bytes each (a multiple of 512), made while it is read. */
export function* generatedLayer(count: number, size: number): Generator<Buffer> {
  const content = noise(count * size);
  let rest: Buffer = Buffer.alloc(0);
  for (let number = 0; number < count; number++) {
    yield rawHeader({ name: `files/${number % 50}/${number}`, size });
    for (let left = size; left > 0; ) {
      if (rest.length === 0) rest = content.next().value as Buffer;
      const piece = rest.subarray(0, left);
      rest = rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
  yield Buffer.alloc(1024);
}

export const layerSize = (count: number, size: number): number => count * (512 + size) + 1024;
