import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { violation } from './fields.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export interface GroupPayload {
  /** One after the other: the payload. */
  readonly pieces: readonly Uint8Array[];
  readonly zstd: boolean;
}

/** A group that does not shrink below this share of its plain bytes goes as it is. */
const WORTH = 0.97;
/** Groups in a row that did not shrink before some are not even tried. */
const PATIENCE = 3;
const LONGEST_REST = 32;
const MOST_PIECES = 16;
/** Below this a zstd frame saves nothing. */
const LEAST_BYTES = 128;

/** Packs groups of one lane; rests for a while where the content does not shrink (media, archives). */
export class GroupPacker {
  #failures = 0;
  #rest = 0;

  /** @param level zstd level, 0: as it is */
  async pack(blocks: readonly Uint8Array[], level: number): Promise<GroupPayload> {
    if (level === 0) return asItIs(blocks);
    if (this.#rest > 0) {
      this.#rest--;
      return asItIs(blocks);
    }
    const plain = blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks);
    if (plain.length < LEAST_BYTES) return { pieces: [plain], zstd: false };
    const packed = await compress(plain, {
      // The frame tells its content size only where it is pledged; the group's header tells it anyway.
      params: { [constants.ZSTD_c_compressionLevel]: level },
      chunkSize: Math.max(1024, Math.min(plain.length, 256 * 1024)),
    });
    if (packed.length < plain.length * WORTH) {
      this.#failures = 0;
      return { pieces: [packed], zstd: true };
    }
    this.#failures++;
    if (this.#failures >= PATIENCE) this.#rest = Math.min(LONGEST_REST, 2 ** (this.#failures - PATIENCE));
    return { pieces: [plain], zstd: false };
  }
}

/** Every layer of the carrier looks at every piece: many small ones are dearer than their copy. */
function asItIs(blocks: readonly Uint8Array[]): GroupPayload {
  return { pieces: blocks.length <= MOST_PIECES ? blocks : [Buffer.concat(blocks)], zstd: false };
}

/** Cuts plain bytes into blocks: views, in order. */
export function splitGroup(plain: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let at = 0;
  return lengths.map((length) => {
    const block = plain.subarray(at, at + length);
    at += length;
    return block;
  });
}

/**
 * The plain bytes of a compressed group.
 * @throws Fault `invalid/lane-violation` when it is no zstd frame of exactly these lengths
 */
export async function inflateGroup(payload: Uint8Array, lengths: readonly number[]): Promise<Uint8Array> {
  const plain = lengths.reduce((sum, length) => sum + length, 0);
  let bytes: Buffer;
  try {
    bytes = await decompress(payload, {
      maxOutputLength: Math.max(1, plain),
      chunkSize: Math.max(1024, plain),
    });
  } catch (cause) {
    throw violation(`a group of ${plain} bytes is no zstd frame of that length: ${(cause as Error).message}`);
  }
  if (bytes.length !== plain)
    throw violation(`a group of ${plain} bytes was ${bytes.length} after decompression`);
  return bytes;
}
