import type { TarSink } from '../../../src/image/tar/tar-entry.ts';
import { DEFAULT_TAR_LIMITS } from '../../../src/image/tar/tar-limits.ts';
import { createTarReader } from '../../../src/image/tar/tar-reader.ts';
import {
  END_OF_TAR,
  gnuLong,
  padded,
  paxHeader,
  rawEntry,
  rawHeader,
  rawTar,
} from '../../support/raw-tar.ts';
import { readTar } from './recording-sink.ts';

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('latin1');
const only = (...parts: Uint8Array[]) => {
  const { entries } = readTar(rawTar(...parts));
  expect(entries).toHaveLength(1);
  return entries[0]!;
};

describe('an entry', () => {
  it('is every field of its header', () => {
    const header = { name: 'a/b', mode: 0o104755, uid: 7, gid: 8, mtime: 9 } as const;
    const { file, name, ...entry } = only(rawEntry(header, 'hello'));
    expect(file.toString()).toBe('hello');
    expect(name).toBe('a/b');
    expect(entry).toEqual({
      type: 'file',
      path: Buffer.from('a/b'),
      linkPath: Buffer.alloc(0),
      mode: 0o4755,
      uid: 7,
      gid: 8,
      size: 5,
      storedSize: 5,
      mtime: 9,
      mtimeNanos: 0,
      devMajor: 0,
      devMinor: 0,
      xattrs: [],
    });
  });

  it.each([
    ['0', 'file', 'x', 'file'],
    ['0', 'a name with a slash at its end', 'x/', 'file'],
    ['\0', 'an old file', 'x', 'file'],
    ['\0', 'an old directory', 'x/', 'directory'],
    ['1', 'hard link', 'x', 'hardlink'],
    ['2', 'symlink', 'x', 'symlink'],
    ['3', 'character device', 'x', 'chardev'],
    ['4', 'block device', 'x', 'blockdev'],
    ['5', 'directory', 'x', 'directory'],
    ['6', 'fifo', 'x', 'fifo'],
    ['7', 'contiguous file', 'x', 'file'],
  ])('typeflag %j: %s', (typeflag, _, name, type) => {
    const entry = only(rawHeader({ name, typeflag, linkname: 'target', devMajor: 3, devMinor: 5 }));
    const isLink = type === 'hardlink' || type === 'symlink';
    const isDevice = type === 'chardev' || type === 'blockdev';
    expect(entry).toMatchObject({ type, name, devMajor: isDevice ? 3 : 0, devMinor: isDevice ? 5 : 0 });
    expect(text(entry.linkPath)).toBe(isLink ? 'target' : '');
  });

  it.each(['1', '2', '3', '4', '5', '6'])(
    'of typeflag %s has no content, whatever its size says',
    (typeflag) => {
      const { entries } = readTar(
        rawTar(rawHeader({ name: 'x', typeflag, size: 5000 }), rawEntry({ name: 'y' }, 'y')),
      );
      expect(entries.map(({ name, size }) => [name, size])).toEqual([
        ['x', 0],
        ['y', 1],
      ]);
    },
  );

  it('may have an empty name: what that means is the next one to say', () => {
    expect(only(rawEntry({ name: '' }, 'x')).path).toHaveLength(0);
  });

  it.each([
    ['an id of -1 is left alone by chown: root', -1, 0],
    ['an id past 32 bits is cut by chown', 2 ** 33 + 5, 5],
    ['the largest id', 0xffff_fffe, 0xffff_fffe],
  ])('%s', (_, uid, expected) => {
    expect(only(rawHeader({ name: 'x', uid })).uid).toBe(expected);
    expect(only(paxHeader({ uid: String(uid) }), rawHeader({ name: 'x' })).uid).toBe(expected);
  });

  it.each([
    [-1, -1],
    [2 ** 40, 2 ** 40],
    [2 ** 62, 0],
  ])('time %d in base-256 is %d', (mtime, expected) => {
    expect(only(rawHeader({ name: 'x', mtime })).mtime).toBe(expected);
  });
});

describe('the name of an entry', () => {
  const prefix = { 345: 'deep/er' };

  it('ustar: has the prefix in front', () => {
    expect(only(rawHeader({ name: 'x', prefix: 'p/q' })).name).toBe('p/q/x');
  });

  it('v7: bytes where ustar has the prefix are nothing', () => {
    expect(only(rawHeader({ name: 'x', format: 'v7', patch: prefix })).name).toBe('x');
  });

  it('gnu: times stand where ustar has the prefix', () => {
    const patch = { 345: '14700000000\x0014700000000\0' };
    expect(only(rawHeader({ name: 'x', format: 'gnu', patch })).name).toBe('x');
  });

  it('gnu: a prefix there, as Go before 1.8 wrote it, is one where it is ASCII and no time', () => {
    expect(only(rawHeader({ name: 'x', format: 'gnu', patch: prefix })).name).toBe('deep/er/x');
    const odd = { 345: Buffer.from('d\xfcr', 'latin1') };
    expect(only(rawHeader({ name: 'x', format: 'gnu', patch: odd })).name).toBe('x');
  });

  it('star: the prefix ends where its times begin', () => {
    const patch = { 345: 'p'.repeat(131), 476: '14700000000\x0014700000000\0', 508: 'tar\0' };
    expect(only(rawHeader({ name: 'x', patch })).name).toBe(`${'p'.repeat(131)}/x`);
  });

  it('GNU long name and link win over PAX records and the header', () => {
    const long = `${'n'.repeat(200)}/${'m'.repeat(200)}`;
    const entry = only(
      gnuLong('L', long),
      gnuLong('K', 'l'.repeat(300)),
      paxHeader({ path: 'pax', linkpath: 'pax' }),
      rawHeader({ name: 'x', typeflag: '2', linkname: 'y' }),
    );
    expect(entry.name).toBe(long);
    expect(text(entry.linkPath)).toBe('l'.repeat(300));
  });

  it('an empty GNU long name counts as none', () => {
    expect(only(gnuLong('L', ''), rawHeader({ name: 'x' })).name).toBe('x');
  });

  it('applies to one entry only', () => {
    const tar = rawTar(gnuLong('L', 'long'), rawHeader({ name: 'a' }), rawHeader({ name: 'b' }));
    expect(readTar(tar).entries.map(({ name }) => name)).toEqual(['long', 'b']);
  });
});

describe('PAX records', () => {
  it('replace the fields of the header, a size before its content is read', () => {
    const records = { path: 'p\xfc', linkpath: 'l', size: '3', uid: '70000', gid: '80000', mtime: '5.25' };
    const entry = only(paxHeader(records), rawHeader({ name: 'x', size: 0 }), padded('abc'));
    expect(entry).toMatchObject({
      size: 3,
      storedSize: 3,
      uid: 70_000,
      gid: 80_000,
      mtime: 5,
      mtimeNanos: 25e7,
    });
    expect(Buffer.from(entry.path).toString()).toBe('p\xfc');
    expect(entry.file.toString()).toBe('abc');
  });

  it('of no bytes keep the header', () => {
    const entry = only(
      paxHeader({ path: '', size: '', mtime: '' }),
      rawEntry({ name: 'x', mtime: 4 }, 'abc'),
    );
    expect(entry).toMatchObject({ name: 'x', size: 3, mtime: 4 });
  });

  it('of a second header replace all of the first', () => {
    const entry = only(
      paxHeader({ path: 'a', uid: '5' }),
      paxHeader({ path: 'b' }),
      rawHeader({ name: 'x', uid: 1 }),
    );
    expect(entry).toMatchObject({ name: 'b', uid: 1 });
  });

  it('carry extended attributes of any bytes; an empty value is an attribute, as the engines set it', () => {
    const value = Buffer.from('a\0b\n17 path=evil\n', 'latin1');
    const entry = only(
      paxHeader({
        'SCHILY.xattr.security.capability': value,
        'SCHILY.xattr.user.empty': '',
        'LIBARCHIVE.xattr.user.other': 'eA==',
      }),
      rawHeader({ name: 'x' }),
    );
    expect(entry.name).toBe('x');
    expect(entry.xattrs.map(({ name, value }) => [text(name), text(value)])).toEqual([
      ['security.capability', value.toString('latin1')],
      ['user.empty', ''],
    ]);
  });

  it('of a global header apply to nothing, and end what stood in front of it', () => {
    const tar = rawTar(
      paxHeader({ path: 'lost' }),
      paxHeader({ path: 'global', uid: '9' }, 'g'),
      rawHeader({ name: 'a' }),
      paxHeader({ path: 'kept' }),
      rawHeader({ name: 'b' }),
    );
    expect(readTar(tar).entries.map(({ name, uid }) => [name, uid])).toEqual([
      ['a', 0],
      ['kept', 0],
    ]);
  });
});

describe('the end', () => {
  const entry = rawEntry({ name: 'x' }, 'content');

  it.each([
    ['an empty stream', Buffer.alloc(0), 0],
    ['no end marker', entry, 1],
    ['one block of zeros', Buffer.concat([entry, Buffer.alloc(512)]), 1],
    ['nothing but the marker', END_OF_TAR, 0],
    ['the padding of the last entry missing', entry.subarray(0, 512 + 7), 1],
    ['the padding of the last entry cut', entry.subarray(0, 512 + 100), 1],
    ['records without an entry', paxHeader({ path: 'y' }), 0],
    ['an entry behind the marker', Buffer.concat([entry, END_OF_TAR, entry]), 1],
    ['anything behind the marker', Buffer.concat([END_OF_TAR, Buffer.from('anything')]), 0],
  ])('%s is one', (_, tar, count) => {
    expect(readTar(tar).entries).toHaveLength(count);
  });

  it.each([
    ['a header', 100, undefined],
    ['content', 512 + 3, 'x'],
    ['the second entry', 1024 + 511, undefined],
  ])('inside %s is a fault that names the byte', (_, length, name) => {
    const cut = Buffer.concat([entry, entry]).subarray(0, length);
    expect(() => readTar(cut)).toThrow(
      expect.objectContaining({
        kind: 'corrupt',
        code: 'tar-truncated',
        fields: { offset: length, ...(name === undefined ? {} : { entry: name }) },
      }),
    );
  });

  it('inside zeros that are no whole block, records, and maps is a fault', () => {
    for (const cut of [
      Buffer.alloc(100),
      Buffer.alloc(700),
      paxHeader({ path: 'y' }).subarray(0, 520),
      rawHeader({ name: 's', typeflag: 'S', format: 'gnu', patch: { 482: '\x01' } }),
    ]) {
      expect(() => readTar(cut)).toThrow(expect.objectContaining({ code: 'tar-truncated' }));
    }
  });
});

describe('the sink', () => {
  it('gets content as views, never copies', () => {
    const tar = rawTar(rawEntry({ name: 'x' }, 'a'.repeat(3000)));
    const seen: Uint8Array[] = [];
    const sink: TarSink = {
      literal() {},
      entry() {},
      content: (bytes) => void seen.push(bytes),
      entryEnd() {},
    };
    const reader = createTarReader(sink, DEFAULT_TAR_LIMITS);
    reader.push(tar);
    reader.end();
    expect(seen).toHaveLength(1);
    expect(seen[0]?.buffer).toBe(tar.buffer);
    expect(seen[0]?.byteOffset).toBe(tar.byteOffset + 512);
  });

  it('gets an entry that stays valid after the call', () => {
    const tar = Buffer.concat([gnuLong('K', 'long'), rawHeader({ name: 'name', typeflag: '2' })]);
    const held: Uint8Array[] = [];
    const sink: TarSink = {
      literal() {},
      entry: (entry) => void held.push(entry.path, entry.linkPath),
      content() {},
      entryEnd() {},
    };
    createTarReader(sink, DEFAULT_TAR_LIMITS).push(tar);
    tar.fill(0);
    expect(held.map(text)).toEqual(['name', 'long']);
  });

  it('that throws ends the reader with its own error', () => {
    const own = new Error('disk full');
    const sink: TarSink = {
      literal() {},
      entry() {
        throw own;
      },
      content() {},
      entryEnd() {},
    };
    const reader = createTarReader(sink, DEFAULT_TAR_LIMITS);
    expect(() => reader.push(rawHeader({ name: 'x' }))).toThrow(own);
    expect(() => reader.push(rawHeader({ name: 'y' }))).toThrow(own);
    expect(() => reader.end()).toThrow(own);
  });
});
