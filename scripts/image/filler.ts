import { createCipheriv, createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MIB = 1 << 20;
/** Bytes of one file each, over and over: from small to large as in an image with models and archives. */
const SIZES = [64 * 1024, 300_000, MIB, 5 * MIB, 16 * MIB, 37 * MIB];

/** Random-looking bytes that are the same for the same seed (AES-CTR of zeros). */
function randomBytes(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Text that a compressor halves several times: numbered lines over random words of hex. */
function textBytes(seed: string, length: number): Buffer {
  const words = randomBytes(seed, Math.ceil(length / 64) * 8).toString('hex');
  const line = (at: number) =>
    `${String(at).padStart(10, '0')} status=ok source=station ${words.slice(at * 16, at * 16 + 16)} retry\n`;
  let text = '';
  for (let at = 0; text.length < length; at++) text += line(at);
  return Buffer.from(text.slice(0, length));
}

/** Fills `folder` with `bytes` of made-up files, half of them incompressible. The same seed gives the same files. */
export function writeFiller(folder: string, bytes: number, seed: string): void {
  mkdirSync(folder, { recursive: true });
  let left = bytes;
  for (let at = 0; left > 0; at++) {
    const size = Math.min(left, SIZES[(at >> 1) % SIZES.length] as number);
    const make = at % 2 === 0 ? randomBytes : textBytes;
    writeFileSync(
      join(folder, `${String(at).padStart(5, '0')}.${at % 2 === 0 ? 'bin' : 'log'}`),
      make(`${seed} ${at}`, size),
    );
    left -= size;
  }
}
