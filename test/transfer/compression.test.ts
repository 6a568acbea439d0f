import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type Compression, compressionOf, decompress } from '../../src/transfer/decompress.ts';
import { cutZstdFrames } from '../../src/transfer/zstd-frames.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { faultOf } from './support/faults.ts';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function joined(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const unpack = (bytes: Uint8Array, compression: Compression, size = 1000, ratio = 200): Promise<Buffer> =>
  joined(decompress(inPieces(bytes, size), compression, ratio));

/** A frame that decoders skip (RFC 8878, 3.1.2). */
const skippable = (content: Uint8Array, kind = 0): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + kind, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
};

const checksummed = (bytes: Uint8Array): Buffer => zstdCompressSync(bytes, { params: { 201: 1 } });

describe('the compression of a blob', () => {
  it('shows in its first bytes', () => {
    expect(compressionOf(gzipSync('x'))).toBe('gzip');
    expect(compressionOf(zstdCompressSync('x'))).toBe('zstd');
    expect(compressionOf(skippable(Buffer.from('x'), 15))).toBe('zstd');
    for (const bytes of [Buffer.alloc(0), Buffer.from([0x1f]), Buffer.from('BZh9'), Buffer.alloc(512)]) {
      expect(compressionOf(bytes)).toBe('none');
    }
  });

  it('comes off in whatever members, frames and pieces the bytes are', async () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        parts,
        fc.integer({ min: 1, max: 4000 }),
        fc.constantFrom('gzip', 'zstd', 'sum'),
        async (given, size, how) => {
          const pack = how === 'gzip' ? gzipSync : how === 'zstd' ? zstdCompressSync : checksummed;
          const packed = Buffer.concat(given.map((part) => pack(part)));
          const plain = await unpack(packed, how === 'gzip' ? 'gzip' : 'zstd', size);
          expect(plain.equals(Buffer.concat(given))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('passes plain bytes on', async () => {
    expect((await unpack(Buffer.from('plain'), 'none')).toString()).toBe('plain');
  });

  it('is refused where it ends early, wherever that is', async () => {
    const plain = bytesOf(1, 2000);
    for (const [compression, packed] of [
      ['gzip', gzipSync(plain)],
      ['zstd', checksummed(plain)],
    ] as const) {
      for (let at = 1; at < packed.length; at += 61) {
        const fault = await faultOf(unpack(packed.subarray(0, at), compression, 333));
        expect(fault).toMatchObject({ kind: 'corrupt', code: 'bad-compression' });
      }
    }
  });

  it('is refused with other bytes behind it, in whatever piece they come', async () => {
    const plain = bytesOf(2, 5000);
    for (const [compression, packed] of [
      ['gzip', gzipSync(plain)],
      ['zstd', zstdCompressSync(plain)],
    ] as const) {
      for (const tail of [Buffer.from('x'), Buffer.alloc(1), Buffer.alloc(700), bytesOf(3, 5000)]) {
        for (const size of [packed.length, packed.length + 1, 100, 100_000]) {
          const fault = await faultOf(unpack(Buffer.concat([packed, tail]), compression, size));
          expect(fault).toMatchObject({ kind: 'corrupt', code: 'bad-compression' });
        }
      }
    }
  });

  it('is refused where it grows too much, past the first 64 MiB', async () => {
    const packed = zstdCompressSync(Buffer.alloc(70 * 1024 * 1024));
    const drain = async (ratio: number): Promise<void> => {
      for await (const _ of decompress(inPieces(packed, 65_536), 'zstd', ratio));
    };
    expect(await faultOf(drain(200))).toMatchObject({ kind: 'invalid', code: 'compression-bomb' });
    await drain(100_000);
  });

  it('hands on what the source throws', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield gzipSync('x').subarray(0, 5);
      throw new Error('the source broke');
    }
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      await expect(joined(decompress(broken(), compression, 200))).rejects.toThrow(
        compression === 'zstd' ? /zstd|broke/ : 'the source broke',
      );
    }
  });
});

describe('the frames of a zstd stream', () => {
  it('each end where a chunk ends, skippable ones are left out', async () => {
    const frames = [
      zstdCompressSync(bytesOf(1, 300_000)),
      checksummed(Buffer.from('b')),
      zstdCompressSync(''),
    ];
    const stream = Buffer.concat([skippable(bytesOf(4, 70_000)), ...frames, skippable(Buffer.alloc(0), 3)]);
    for (const size of [1, 7, 4096, stream.length]) {
      const ends = new Set<number>();
      let at = 0;
      for await (const piece of cutZstdFrames(inPieces(stream, size))) {
        at += piece.length;
        ends.add(at);
      }
      let end = 0;
      for (const frame of frames) {
        end += frame.length;
        expect(ends.has(end)).toBe(true);
      }
      expect(at).toBe(end);
    }
  });

  it('are refused where they are none', async () => {
    const frame = zstdCompressSync('hello');
    const reserved = Buffer.from(frame);
    // the header of the first block stands behind magic, descriptor and the size of the content
    reserved[6] = (reserved[6] as number) | 0b110;
    for (const bytes of [
      Buffer.from('none'),
      Buffer.concat([frame, Buffer.from('ab')]),
      reserved,
      skippable(Buffer.alloc(100)).subarray(0, 50),
    ]) {
      expect(await faultOf(joined(cutZstdFrames(inPieces(bytes, 9))))).toMatchObject({
        kind: 'corrupt',
        code: 'bad-compression',
      });
    }
    expect(await joined(cutZstdFrames(inPieces(Buffer.alloc(0), 1)))).toHaveLength(0);
  });
});
