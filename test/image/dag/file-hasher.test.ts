import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { CHUNK_SIZE, FILE_WIDTH } from '../../../src/image/dag/file-dag.ts';
import { createFileHasher, type HashedFile } from '../../../src/image/dag/file-hasher.ts';
import { importWithReference } from './reference-importer.ts';

function zeros(size: number): HashedFile {
  const hasher = createFileHasher();
  hasher.updateZeros(size);
  return hasher.finish();
}

/** `size` bytes of a repeating pattern in pieces of `piece`. */
function* pattern(size: number, piece: number): Generator<Uint8Array> {
  const bytes = Buffer.alloc(piece + 251, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));
  for (let at = 0; at < size; at += piece) {
    const length = Math.min(piece, size - at);
    yield bytes.subarray(at % 251, (at % 251) + length);
  }
}

function hashPattern(size: number, piece: number): HashedFile {
  const hasher = createFileHasher();
  for (const bytes of pattern(size, piece)) hasher.update(bytes);
  return hasher.finish();
}

async function referenceFile(content: Iterable<Uint8Array>) {
  return importWithReference([{ content: content as Generator<Uint8Array> }]);
}

describe('the CID of a file', () => {
  it.each([
    ['no bytes', 0, 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
    ['one byte more than a chunk', 262_145, 'bafybeigllfqgfpqydppr6cmv56g7ax4wyhruzswvcefv6j5kj77nzttfki'],
    ['a full node', 174 * 262_144, 'bafybeibxsa3ioclowpaq7b6gxl65gzqneopfr3fnhedak6sqr4bjz5lnyq'],
    [
      'one byte more than a full node',
      174 * 262_144 + 1,
      'bafybeihqwzd3o6q6v3pmwhzjy22vokhr767burokmqemg63hptx2nqd7ym',
    ],
  ])('of zero bytes: %s', (_title, size, cid) => {
    const file = zeros(size);
    expect(file.cid.toString()).toBe(cid);
    expect(file.size).toBe(size);
    expect(Buffer.from(file.hash)).toEqual(Buffer.from(file.cid.multihash.digest));
  });

  it('of a short text', () => {
    const hasher = createFileHasher();
    hasher.update(Buffer.from('hello world\n'));
    const file = hasher.finish();
    expect(file.cid.toString()).toBe('bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4');
    expect(file.leaves).toBeUndefined();
    expect(file.dag.nodes).toEqual([]);
    expect(file.dag.tsize).toBe(12);
  });

  it('is what ipfs-unixfs-importer gives, with its inner blocks, around the ends of chunks', async () => {
    const near = fc
      .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -2, max: 2 }))
      .map(([chunks, offset]) => Math.max(0, chunks * CHUNK_SIZE + offset));
    await fc.assert(
      fc.asyncProperty(near, fc.integer({ min: 1000, max: 600_000 }), async (size, piece) => {
        const ours = hashPattern(size, piece);
        const { root, blocks } = await referenceFile(pattern(size, 100_003));
        expect(ours.cid.toString()).toBe(root.cid.toString());
        expect(ours.dag.tsize).toBe(Number(root.size));
        expect(new Map(ours.dag.nodes.map(({ cid, bytes }) => [cid.toString(), Buffer.from(bytes)]))).toEqual(
          new Map([...blocks.inner].map(([cid, bytes]) => [cid, Buffer.from(bytes)])),
        );
      }),
      { numRuns: 40 },
    );
  });

  it.each([-1, 0, 1, CHUNK_SIZE, CHUNK_SIZE + 1])(
    'is the same %i bytes beside the end of a full node',
    async (offset) => {
      const size = FILE_WIDTH * CHUNK_SIZE + offset;
      const ours = hashPattern(size, 1_000_003);
      const { root, blocks } = await referenceFile(pattern(size, 1_000_003));
      expect(ours.cid.toString()).toBe(root.cid.toString());
      expect(ours.dag.tsize).toBe(Number(root.size));
      expect(ours.dag.nodes.map(({ cid }) => cid.toString()).sort()).toEqual([...blocks.inner.keys()].sort());
      expect(ours.dag.nodes.at(-1)?.cid.toString()).toBe(ours.cid.toString());
    },
  );

  it('has three levels from 174 x 174 chunks on', () => {
    const file = zeros(FILE_WIDTH * FILE_WIDTH * CHUNK_SIZE + 1);
    expect(file.dag.nodes).toHaveLength(FILE_WIDTH + 1 + 1 + 1 + 1);
    expect(file.leaves).toHaveLength((FILE_WIDTH * FILE_WIDTH + 1) * 32);
  });
});

describe('the file hasher', () => {
  it('gives one CID however the bytes are cut and whichever of them are told as zeros', () => {
    const run = fc.record({
      zeros: fc.boolean(),
      length: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 250_000, max: 800_000 })),
    });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 6 }), (runs) => {
        const told = createFileHasher();
        const whole: Uint8Array[] = [];
        for (const { zeros: hole, length } of runs) {
          const bytes = Buffer.alloc(length, hole ? 0 : 7);
          whole.push(bytes);
          if (hole) told.updateZeros(length);
          else told.update(bytes);
        }
        const plain = createFileHasher();
        plain.update(Buffer.concat(whole));
        expect(told.finish()).toEqual(plain.finish());
      }),
      { numRuns: 60 },
    );
  });

  it('tells each leaf in order with its sha2-256', () => {
    const told: string[] = [];
    const hasher = createFileHasher({
      onLeaf: (index, hash) => told.push(`${index} ${Buffer.from(hash).toString('hex')}`),
    });
    const bytes = Buffer.alloc(CHUNK_SIZE + 10, 3);
    hasher.update(bytes.subarray(0, 5));
    hasher.update(bytes.subarray(5));
    const file = hasher.finish();
    const hashes = [bytes.subarray(0, CHUNK_SIZE), bytes.subarray(CHUNK_SIZE)].map((leaf) =>
      createHash('sha256').update(leaf).digest('hex'),
    );
    expect(told).toEqual(hashes.map((hash, index) => `${index} ${hash}`));
    expect(Buffer.from(file.leaves ?? []).toString('hex')).toBe(hashes.join(''));
  });

  it('tells the one leaf of an empty file', () => {
    const told: number[] = [];
    createFileHasher({ onLeaf: (index) => told.push(index) }).finish();
    expect(told).toEqual([0]);
  });

  it('takes a hole of 32 GiB without hashing it', () => {
    const file = zeros(2 ** 35);
    expect(file.leaves).toHaveLength(2 ** 17 * 32);
  });

  it('refuses a file above its limit before it takes the bytes, and negative lengths', () => {
    const hasher = createFileHasher({ maxSize: 100 });
    hasher.updateZeros(100);
    expect(() => hasher.update(new Uint8Array(1))).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'file-too-big' }),
    );
    expect(() => hasher.updateZeros(-1)).toThrow(expect.objectContaining({ code: 'file-too-big' }));
    expect(hasher.finish().size).toBe(100);
  });

  it('is used up by finish', () => {
    const hasher = createFileHasher();
    hasher.finish();
    expect(() => hasher.finish()).toThrow(expect.objectContaining({ code: 'hasher-finished' }));
    expect(() => hasher.update(new Uint8Array(1))).toThrow(
      expect.objectContaining({ code: 'hasher-finished' }),
    );
  });
});
