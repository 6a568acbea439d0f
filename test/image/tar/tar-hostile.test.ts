import {
  END_OF_TAR,
  gnuLong,
  padded,
  paxHeader,
  rawEntry,
  rawHeader,
  rawTar,
} from '../../support/raw-tar.ts';
import { type ReadOptions, readTar } from './recording-sink.ts';

function fault(tar: Uint8Array, options: ReadOptions = {}) {
  try {
    readTar(tar, options);
  } catch (thrown) {
    return thrown;
  }
  throw new Error('was taken');
}

describe('damage', () => {
  it.each([
    ['a wrong checksum', rawHeader({ name: 'x', checksumError: 1 })],
    ['text that is no tar', Buffer.alloc(512, 'no tar at all ')],
    [
      'a checksum alone in a block of zeros',
      Buffer.concat([Buffer.alloc(148), Buffer.from('1'), Buffer.alloc(363)]),
    ],
    ['one block of zeros, then an entry', Buffer.concat([Buffer.alloc(512), rawHeader({ name: 'x' })])],
    ['a size that is no octal number', rawHeader({ name: 'x', patch: { 124: '0000000009z' } })],
    ['a negative size', rawHeader({ name: 'x', size: -1 })],
    ['a size past an int64', rawHeader({ name: 'x', patch: { 124: Buffer.alloc(12, 0x9f) } })],
    [
      'a negative size that records replace',
      rawTar(paxHeader({ size: '0' }), rawHeader({ name: 'x', size: -1 })),
    ],
    ['a negative size in records', rawTar(paxHeader({ size: '-1' }), rawHeader({ name: 'x' }))],
    ['a mode that is no number', rawHeader({ name: 'x', patch: { 100: 'rwxrwxr' } })],
    ['device numbers that are none, even of a file', rawHeader({ name: 'x', patch: { 329: 'a' } })],
    ['negative records', rawHeader({ name: 'x', typeflag: 'x', size: -5 })],
  ])('%s is corrupt', (_, tar) => {
    expect(fault(tar)).toMatchObject({
      kind: 'corrupt',
      code: 'tar-header',
      fields: { offset: expect.any(Number) },
    });
  });

  it('names the entry, as text that is safe to print, and where it begins', () => {
    const tar = rawTar(
      rawEntry({ name: 'a' }, 'x'),
      rawHeader({ name: Buffer.from('b\x1b[31m\xff', 'latin1'), typeflag: 'Z' }),
    );
    expect(fault(tar)).toMatchObject({
      kind: 'invalid',
      code: 'tar-entry-type',
      message: expect.stringContaining('unhandled tar header type "Z"'),
      fields: { entry: 'b\\x1b[31m\\xff', offset: 1024, typeflag: 'Z' },
    });
  });

  it.each(['V', 'M', 'D', 'N', 'X', 'A', '8'])('typeflag %s is refused as both engines do', (typeflag) => {
    expect(fault(rawTar(rawHeader({ name: 'x', typeflag })))).toMatchObject({ code: 'tar-entry-type' });
  });

  it.each([
    ['no length', 'path=x\n'],
    ['a length past the end', '99 path=x\n'],
    ['a length that ends inside', '8 path=x\n'],
    ['too short a length', '3 a'],
    ['a length that is the record', '5    \n'],
    ['no equals sign', '8 pathx\n'],
    ['no keyword', '6 =ab\n'],
    ['a NUL in the path', '11 path=a\0\n'],
    ['a NUL in a keyword', '9 a\0b=c\n'],
    ['a negative length', '-9 path=x\n'],
    ['an id that is no number', '9 uid=12x\n'],
    ['a time that is no time', '13 mtime=1.x\n'],
    ['another time that is no time', '11 atime=x\n'],
    ['an attribute without a name', '18 SCHILY.xattr.=\n'],
  ])('PAX records with %s are corrupt', (_, record) => {
    const records = [rawHeader({ name: 'records', typeflag: 'x', size: record.length }), padded(record)];
    expect(fault(rawTar(...records, rawHeader({ name: 'x' })))).toMatchObject({
      kind: 'corrupt',
      code: 'tar-pax-record',
    });
  });
});

describe('limits', () => {
  const deep = (length: number) => 'd/'.repeat(length).slice(0, length);

  it.each<[limit: string, records: Uint8Array, header?: Uint8Array]>([
    ['pathBytes', gnuLong('L', deep(4096)), rawHeader({ name: 'x' })],
    ['pathBytes', gnuLong('K', 'l'.repeat(4096)), rawHeader({ name: 'x', typeflag: '2' })],
    ['componentBytes', gnuLong('L', `a/${'n'.repeat(256)}`), rawHeader({ name: 'x' })],
    ['componentBytes', gnuLong('K', `${'n'.repeat(256)}/b`), rawHeader({ name: 'x', typeflag: '1' })],
    ['recordBytes', rawHeader({ name: 'x', typeflag: 'x', size: 1_048_577 })],
    ['recordBytes', rawHeader({ name: 'x', typeflag: 'L', size: 2 ** 40 })],
    ['fileSize', rawHeader({ name: 'x', size: 2 ** 60 })],
    ['fileSize', paxHeader({ size: '9007199254740992' }), rawHeader({ name: 'x' })],
    [
      'xattrNameBytes',
      paxHeader({ [`SCHILY.xattr.user.${'n'.repeat(251)}`]: 'v' }),
      rawHeader({ name: 'x' }),
    ],
    ['xattrValueBytes', paxHeader({ 'SCHILY.xattr.user.a': 'v'.repeat(65_537) }), rawHeader({ name: 'x' })],
    ['xattrs', paxHeader(many(1025, 5)), rawHeader({ name: 'x' })],
    ['xattrListBytes', paxHeader(many(300, 240)), rawHeader({ name: 'x' })],
  ])('%s is a limit that the fault names', (limit, records, header = Buffer.alloc(0)) => {
    expect(fault(Buffer.concat([records, header]))).toMatchObject({
      kind: 'invalid',
      code: 'tar-limit',
      fields: { limit, max: expect.any(Number), offset: expect.any(Number) },
    });
  });

  it('lets pass what just fits', () => {
    const tar = rawTar(
      gnuLong('L', deep(4095)),
      gnuLong('K', 'l'.repeat(4095)),
      rawHeader({ name: 'x', typeflag: '2' }),
      gnuLong('L', 'n'.repeat(255)),
      paxHeader({ 'SCHILY.xattr.user.a': 'v'.repeat(65_536), [`SCHILY.xattr.user.${'n'.repeat(250)}`]: 'v' }),
      rawHeader({ name: 'y' }),
    );
    expect(readTar(tar).entries).toHaveLength(2);
  });

  it('counts entries, and takes its figures from the settings', () => {
    const tar = rawTar(rawHeader({ name: 'a' }), rawHeader({ name: 'b' }), rawEntry({ name: 'c' }, 'x'));
    expect(fault(tar, { limits: { entries: 2 } })).toMatchObject({
      fields: { limit: 'entries', entry: 'c', max: 2 },
    });
    expect(fault(tar, { limits: { fileSize: 0 } })).toMatchObject({
      fields: { limit: 'fileSize', entry: 'c' },
    });
  });

  it('a file of petabytes costs nothing before its content comes', () => {
    expect(fault(rawHeader({ name: 'x', size: 2 ** 52 }))).toMatchObject({ code: 'tar-truncated' });
  });

  it('bytes behind the end marker are never parsed', () => {
    const { entries } = readTar(Buffer.concat([END_OF_TAR, Buffer.alloc(5000, 0xff)]), { chunks: [1] });
    expect(entries).toEqual([]);
  });
});

function many(count: number, width: number): Record<string, string> {
  const names = Array.from(
    { length: count },
    (_, i) => `SCHILY.xattr.user.${String(i).padStart(width, '0')}`,
  );
  return Object.fromEntries(names.map((name) => [name, 'v']));
}
