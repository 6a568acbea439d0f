import { type PaxRecords, padded, paxHeader, paxRecord, rawHeader, rawTar } from '../../support/raw-tar.ts';
import { readTar } from './recording-sink.ts';

const FILE = Buffer.concat([
  Buffer.alloc(2),
  Buffer.from('abcde'),
  Buffer.alloc(11),
  Buffer.from('fgh'),
  Buffer.alloc(4),
]);
const FRAGMENTS = [
  { offset: 2, length: 5 },
  { offset: 18, length: 3 },
];

/** A header of GNU's first form; pairs beyond four go into extension blocks. */
function oldSparse(
  pairs: readonly (readonly [number, number])[],
  realSize: number,
  stored: Uint8Array,
): Buffer {
  const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
  const map = (some: typeof pairs) => some.map(([offset, length]) => octal(offset) + octal(length)).join('');
  const blocks: Buffer[] = [];
  for (let at = 4; at < pairs.length; at += 21) {
    const block = Buffer.alloc(512);
    block.write(map(pairs.slice(at, at + 21)), 'latin1');
    block[504] = at + 21 < pairs.length ? 1 : 0;
    blocks.push(block);
  }
  const patch = { 386: map(pairs.slice(0, 4)), 482: pairs.length > 4 ? '\x01' : '\0', 483: octal(realSize) };
  const header = rawHeader({ name: 's', typeflag: 'S', format: 'gnu', size: stored.length, patch });
  return Buffer.concat([header, ...blocks, padded(stored)]);
}

const inRecords = (records: PaxRecords, stored: string) =>
  Buffer.concat([
    paxHeader(records),
    rawHeader({ name: 'GNUSparse/s', size: stored.length }),
    padded(stored),
  ]);

const inContent = (lines: string, stored: string, size = '25') => {
  const body = Buffer.concat([padded(lines), Buffer.from(stored)]);
  const records = {
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': 's',
    'GNU.sparse.realsize': size,
  };
  return Buffer.concat([
    paxHeader(records),
    rawHeader({ name: 'GNUSparse/s', size: body.length }),
    padded(body),
  ]);
};

/** Format 0.0 repeats its keywords, which a record object cannot. */
function repeated(...pairs: [string, string][]): Buffer {
  const body = Buffer.concat(pairs.map(([key, value]) => paxRecord(`GNU.sparse.${key}`, value)));
  return Buffer.concat([rawHeader({ name: 'p', typeflag: 'x', size: body.length }), padded(body)]);
}

const v00 = Buffer.concat([
  repeated(
    ['size', '25'],
    ['numblocks', '2'],
    ['offset', '2'],
    ['numbytes', '5'],
    ['offset', '18'],
    ['numbytes', '3'],
  ),
  rawHeader({ name: 's', size: 8 }),
  padded('abcdefgh'),
]);
const v01 = {
  'GNU.sparse.size': '25',
  'GNU.sparse.numblocks': '2',
  'GNU.sparse.map': '2,5,18,3',
  'GNU.sparse.name': 's',
};

describe('a sparse file', () => {
  it.each([
    [
      'old GNU',
      oldSparse(
        [
          [2, 5],
          [18, 3],
        ],
        25,
        Buffer.from('abcdefgh'),
      ),
    ],
    ['PAX 0.0', v00],
    ['PAX 0.1', inRecords(v01, 'abcdefgh')],
    ['PAX 1.0', inContent('2\n2\n5\n18\n3\n', 'abcdefgh')],
  ])('%s: fragments, logical and stored size, name, content', (_, tar) => {
    for (const chunks of [[1], [513], [1 << 20]]) {
      const { entries } = readTar(rawTar(tar), { chunks });
      expect(entries).toMatchObject([
        { type: 'file', name: 's', size: 25, storedSize: 8, sparse: FRAGMENTS },
      ]);
      expect(entries[0]?.file.equals(FILE)).toBe(true);
    }
  });

  it('may be nothing but a hole, or have an empty fragment at its end as GNU tar writes it', () => {
    const hole = readTar(rawTar(inContent('1\n25\n0\n', ''))).entries[0];
    expect(hole).toMatchObject({ size: 25, storedSize: 0, sparse: [] });
    const old = readTar(
      rawTar(
        oldSparse(
          [
            [2, 5],
            [25, 0],
          ],
          25,
          Buffer.from('abcde'),
        ),
      ),
    ).entries[0];
    expect(old?.sparse).toEqual([{ offset: 2, length: 5 }]);
  });

  it('of the old form may have its map in many blocks', () => {
    const pairs = Array.from({ length: 60 }, (_, i) => [i * 10, 1] as const);
    const stored = Buffer.alloc(60, 'x');
    const [entry] = readTar(rawTar(oldSparse(pairs, 600, stored)), { chunks: [700] }).entries;
    expect(entry?.sparse).toHaveLength(60);
    expect(entry?.file.filter((byte) => byte !== 0)).toHaveLength(60);
  });

  it('of the form 1.0 has its map as literal bytes', () => {
    const tar = rawTar(inContent('2\n2\n5\n18\n3\n', 'abcdefgh'));
    expect(readTar(tar).literalBytes).toBe(tar.length - 8);
  });

  it('of an unknown version is a plain file, its map content', () => {
    const records = { 'GNU.sparse.major': '2', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'other' };
    const [entry] = readTar(rawTar(inRecords(records, '1\n0\n'))).entries;
    expect(entry).toMatchObject({ name: 'GNUSparse/s', size: 4 });
    expect(entry).not.toHaveProperty('sparse');
  });
});

describe('a damaged map', () => {
  const record = (change: PaxRecords, stored = 'abcdefgh') =>
    rawTar(inRecords({ ...v01, ...change }, stored));
  it.each([
    ['out of order', record({ 'GNU.sparse.map': '18,3,2,5' })],
    ['overlapping', record({ 'GNU.sparse.map': '2,5,6,3' })],
    ['beyond the file', record({ 'GNU.sparse.map': '2,5,23,3' })],
    ['negative', record({ 'GNU.sparse.map': '-2,5,18,3' })],
    ['past an int64', record({ 'GNU.sparse.map': '2,5,9223372036854775807,3' })],
    ['no numbers', record({ 'GNU.sparse.map': '2,5,x,3' })],
    ['another count', record({ 'GNU.sparse.numblocks': '3' })],
    ['no count', record({ 'GNU.sparse.numblocks': '' })],
    ['a negative size', record({ 'GNU.sparse.size': '-1' })],
    ['less stored than fragments', record({}, 'abcdefg')],
    ['more stored than fragments', record({}, 'abcdefghi')],
    ['lines that never end', rawTar(inContent('5\n1\n1\n', 'x'))],
    ['a line that never ends', rawTar(inContent('0'.repeat(5000), 'x'))],
    ['lines of no numbers', rawTar(inContent('1\nx\n1\n', 'x'))],
    ['a negative count of lines', rawTar(inContent('-1\n', 'x'))],
    ['lines longer than what is stored', rawTar(inContent('9\n', ''))],
    [
      'an old one past the size',
      rawTar(
        oldSparse(
          [
            [2, 5],
            [18, 3],
          ],
          20,
          Buffer.from('abcdefgh'),
        ),
      ),
    ],
    [
      'an old one out of order',
      rawTar(
        oldSparse(
          [
            [18, 3],
            [2, 5],
          ],
          25,
          Buffer.from('abcdefgh'),
        ),
      ),
    ],
  ])('(%s) is corrupt', (_, tar) => {
    expect(() => readTar(tar)).toThrow(expect.objectContaining({ kind: 'corrupt', code: 'tar-sparse-map' }));
  });

  it('with a pair out of turn in format 0.0 is a damaged record', () => {
    const tar = rawTar(
      repeated(['numblocks', '1'], ['numbytes', '5'], ['offset', '0']),
      rawHeader({ name: 's' }),
    );
    expect(() => readTar(tar)).toThrow(expect.objectContaining({ code: 'tar-pax-record' }));
  });

  it('on a link, or in a star archive, is a damaged header', () => {
    const link = rawTar(paxHeader(v01), rawHeader({ name: 's', typeflag: '2' }));
    const star = rawTar(rawHeader({ name: 's', typeflag: 'S', patch: { 508: 'tar\0' } }));
    for (const tar of [link, star]) {
      expect(() => readTar(tar)).toThrow(expect.objectContaining({ code: 'tar-header' }));
    }
  });

  it('is bounded before it is kept: fragments, bytes of the map, size of the file', () => {
    const pairs = Array.from({ length: 50 }, (_, i) => [i * 10, 1] as const);
    const limits = { sparseFragments: 40, recordBytes: 2048 };
    const cases = {
      sparseFragments: [
        oldSparse(pairs, 600, Buffer.alloc(50)),
        inContent('41\n', ''),
        inRecords({ ...v01, 'GNU.sparse.numblocks': '41' }, 'abcdefgh'),
      ],
      recordBytes: [inContent(`40\n${`${'0'.repeat(200)}\n`.repeat(20)}`, 'x')],
      fileSize: [inContent('0\n', '', '9007199254740993')],
    };
    for (const [limit, tars] of Object.entries(cases)) {
      for (const tar of tars) {
        expect(() => readTar(rawTar(tar), { limits })).toThrow(
          expect.objectContaining({ code: 'tar-limit', fields: expect.objectContaining({ limit }) }),
        );
      }
    }
  });
});
