import fc from 'fast-check';
import { Fault } from '../../../src/base/fault.ts';
import { gnuLong, paxHeader, rawEntry, rawHeader, rawTar } from '../../support/raw-tar.ts';
import { readTar } from './recording-sink.ts';

const sparse = {
  'GNU.sparse.major': '1',
  'GNU.sparse.minor': '0',
  'GNU.sparse.name': 's',
  'GNU.sparse.realsize': '9000',
};
const map = Buffer.alloc(512);
map.write('2\n100\n5\n8000\n3\n');

/** One of everything that is read by a path of its own. */
const TAR = rawTar(
  rawEntry({ name: 'dir/', typeflag: '5' }),
  rawEntry({ name: 'dir/file', mtime: -5 }, 'content '.repeat(200)),
  paxHeader({ comment: 'nothing' }, 'g'),
  paxHeader({ path: 'pax/name', mtime: '1.5', 'SCHILY.xattr.user.a': 'b\0\n' }),
  rawEntry({ name: 'short' }, 'x'),
  gnuLong('L', 'long/'.repeat(60)),
  gnuLong('K', 'target/'.repeat(60)),
  rawHeader({ name: 'short', typeflag: '2', format: 'gnu' }),
  paxHeader(sparse),
  rawEntry({ name: 'GNUSparse/s' }, Buffer.concat([map, Buffer.from('abcdefgh')])),
  rawHeader({
    name: 'old',
    typeflag: 'S',
    format: 'gnu',
    size: 0,
    patch: { 386: '00000000005\x0000000000000\0', 483: '5' },
  }),
  rawHeader({ name: 'dev', typeflag: '3', devMajor: 1, devMinor: 3 }),
  rawHeader({ name: 'hard', typeflag: '1', linkname: 'dir/file' }),
);

const whole = readTar(TAR);

describe('a tar in chunks', () => {
  it('is read the same whatever the chunks are, down to single bytes', () => {
    expect(whole.entries).toHaveLength(8);
    expect(readTar(TAR, { chunks: [1] }).entries).toEqual(whole.entries);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 8 }), (chunks) => {
        const read = readTar(TAR, { chunks });
        expect(read.entries).toEqual(whole.entries);
        expect(read.literalBytes).toBe(whole.literalBytes);
      }),
    );
  });
});

/** Sets the right checksum, so that a change inside a header is not just a wrong sum. */
function repair(tar: Buffer, block: number): void {
  tar.fill(0x20, block + 148, block + 156);
  const sum = tar.subarray(block, block + 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, block + 148, 'latin1');
}

describe('a damaged tar', () => {
  const change = fc.record({
    at: fc.nat({ max: TAR.length - 1 }),
    byte: fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(...Buffer.from('0123456789=\n ,.-\0\x80\xff')),
    ),
    repaired: fc.boolean(),
  });

  it('is read to its end or refused with a Fault, never anything else', () => {
    const taken = { read: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: TAR.length }),
        fc.integer({ min: 1, max: 3000 }),
        (changes, length, chunk) => {
          const tar = Buffer.from(TAR);
          for (const { at, byte, repaired } of changes) {
            tar[at] = byte;
            if (repaired) repair(tar, at - (at % 512));
          }
          try {
            readTar(tar.subarray(0, length), { chunks: [chunk] });
            taken.read++;
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(Fault);
            expect(['corrupt', 'invalid']).toContain((thrown as Fault).kind);
            expect((thrown as Fault).fields['offset']).toBeLessThanOrEqual(length);
            taken.refused++;
          }
        },
      ),
      { numRuns: 1500 },
    );
    expect(taken.read).toBeGreaterThan(100);
    expect(taken.refused).toBeGreaterThan(100);
  });

  it('of random bytes is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 4096 }), (bytes) => {
        fc.pre(bytes.some((byte) => byte !== 0));
        expect(() => readTar(bytes)).toThrow(Fault);
      }),
    );
  });
});
