import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { Fault } from '../base/fault.ts';
import { cutZstdFrames } from './zstd-frames.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/** 1 MiB gives 600 MB/s of gunzip, Node's default of 16 KiB gives 280. */
const CHUNK = 1024 * 1024;

/** What the first bytes say; a plain tar has no magic there. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  const zstd = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  // a skippable frame may come first (RFC 8878, 3.1.2)
  const skippable =
    ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return zstd || skippable ? 'zstd' : 'none';
}

/** Below this a high ratio is nothing to fear: a small layer of zeros. */
const RATIO_FREE = 64 * 1024 * 1024;

/**
 * The plain bytes. Several gzip members or zstd frames are one stream.
 * @param ratio plain bytes to packed ones, at most, past the first 64 MiB
 * @throws Fault `corrupt/bad-compression` for damaged or cut streams and for other bytes behind them;
 *   `invalid/compression-bomb`
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  ratio: number,
): AsyncGenerator<Uint8Array> {
  if (compression === 'none') {
    yield* source;
    return;
  }
  let fed = 0;
  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      fed += chunk.length;
      yield chunk;
    }
  }
  const decoder =
    compression === 'gzip' ? createGunzip({ chunkSize: CHUNK }) : createZstdDecompress({ chunkSize: CHUNK });
  const input = Readable.from(counted(compression === 'zstd' ? cutZstdFrames(source) : source), {
    objectMode: true,
    highWaterMark: 4,
  });
  input.on('error', (error) => decoder.destroy(error));
  input.pipe(decoder);
  try {
    let plain = 0;
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      plain += chunk.length;
      if (plain > RATIO_FREE && plain > fed * ratio) throw bomb(plain, fed, ratio);
      yield chunk;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!/^(Z_|ERR_ZLIB|ZSTD_|ERR_ZSTD)/.test(code)) throw error;
    throw new Fault(
      'corrupt',
      'bad-compression',
      `damaged ${compression} data: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  } finally {
    input.destroy();
    decoder.destroy();
  }
  // zlib takes zero bytes behind the last member as padding and says nothing
  if (decoder.bytesWritten !== fed) {
    throw new Fault(
      'corrupt',
      'bad-compression',
      `${fed - decoder.bytesWritten} bytes follow the ${compression} data`,
    );
  }
}

function bomb(plain: number, packed: number, ratio: number): Fault {
  return new Fault(
    'invalid',
    'compression-bomb',
    `it grows more than ${ratio} times when it is unpacked (limits.ratio): taken for a bomb`,
    { fields: { plain, compressed: packed } },
  );
}
