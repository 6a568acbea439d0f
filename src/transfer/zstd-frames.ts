import { createChunkReader } from '../base/chunk-reader.ts';
import { Fault } from '../base/fault.ts';

// RFC 8878, section 3.1
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/**
 * Cuts a zstd stream so that each frame's end is a chunk's end, and leaves skippable frames out. Node's decompressor
 * ends silently at the first frame's end when the next one begins in the same chunk, and goes on when it does not.
 * Images by pzstd and zstd:chunked have many frames.
 * @throws Fault `corrupt/bad-compression` on other bytes between frames or an end inside one
 */
export async function* cutZstdFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = createChunkReader(source);

  async function exactly(count: number): Promise<Buffer> {
    const bytes = await reader.take(count);
    if (bytes.length < count) throw badZstd('the zstd stream ends inside a frame');
    return bytes;
  }

  async function* through(count: number): AsyncGenerator<Uint8Array> {
    let left = count;
    for await (const piece of reader.pass(count)) {
      left -= piece.length;
      yield piece;
    }
    if (left > 0) throw badZstd('the zstd stream ends inside a frame');
  }

  for (;;) {
    const magic = await reader.take(4);
    if (magic.length === 0) return;
    if (magic.length < 4) throw badZstd('bytes that are no zstd frame follow the zstd stream');
    const number = magic.readUInt32LE(0);
    if ((number & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
      for await (const _ of through((await exactly(4)).readUInt32LE(0)));
      continue;
    }
    if (number !== FRAME_MAGIC) throw badZstd('bytes that are no zstd frame follow the zstd stream');
    const descriptor = await exactly(1);
    const flags = descriptor[0] as number;
    const singleSegment = (flags & 0x20) !== 0;
    const contentSizeFlag = flags >> 6;
    const headerBytes =
      (singleSegment ? 0 : 1) +
      (DICTIONARY_ID_BYTES[flags & 3] as number) +
      (contentSizeFlag === 0 && singleSegment ? 1 : (CONTENT_SIZE_BYTES[contentSizeFlag] as number));
    yield Buffer.concat([magic, descriptor, await exactly(headerBytes)]);
    for (let last = false; !last; ) {
      const header = await exactly(3);
      const word = header.readUIntLE(0, 3);
      const kind = (word >> 1) & 3;
      if (kind === RESERVED_BLOCK) throw badZstd('a zstd block has the reserved type');
      last = (word & 1) !== 0;
      yield header;
      yield* through(kind === RLE_BLOCK ? 1 : word >> 3);
    }
    if ((flags & 4) !== 0) yield await exactly(4);
  }
}

function badZstd(message: string): Fault {
  return new Fault('corrupt', 'bad-compression', message);
}
