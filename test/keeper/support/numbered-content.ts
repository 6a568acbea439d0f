import { createCipheriv, createHash } from 'node:crypto';

/** Every 40th file is large: read range by range. */
export function numberedSize(number: number): number {
  return number % 40 === 39 ? 4_000_000 + number : 20_000 + number;
}

/** Of the file with this number: no two are the same. */
export function numberedContent(number: number): Buffer {
  const key = createHash('md5').update(String(number)).digest();
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(numberedSize(number)));
}
