import fc from 'fast-check';
import { pathText } from '../../../src/image/tar/path-text.ts';
import { looksLikeTar } from '../../../src/image/tar/tar-header.ts';
import { END_MARKER, writeTarHeader, writeTarPadding } from '../../../src/image/tar/tar-header-writer.ts';
import { rawHeader } from '../../support/raw-tar.ts';
import { readTar } from './recording-sink.ts';

describe('looksLikeTar', () => {
  it('takes headers of all formats and the end marker', () => {
    for (const format of ['ustar', 'gnu', 'v7'] as const) {
      expect(looksLikeTar(rawHeader({ name: 'x', format }))).toBe(true);
    }
    expect(looksLikeTar(Buffer.alloc(512))).toBe(true);
  });

  it('takes the sum of signed bytes, as Sun wrote it', () => {
    const block = rawHeader({ name: Buffer.from('\xe4\xf6', 'latin1') });
    const unsigned = Number.parseInt(block.toString('latin1', 148, 154), 8);
    block.write((unsigned - 512).toString(8).padStart(6, '0'), 148, 'latin1');
    expect(looksLikeTar(block)).toBe(true);
    expect(readTar(block).entries).toHaveLength(1);
  });

  it.each([
    ['gzip', Buffer.concat([Buffer.from([0x1f, 0x8b, 8]), Buffer.alloc(509)])],
    ['JSON', Buffer.alloc(512, '{"schemaVersion":2}')],
    ['too few bytes', Buffer.alloc(511)],
    ['a wrong sum', rawHeader({ name: 'x', checksumError: -1 })],
  ])('refuses %s', (_, bytes) => expect(looksLikeTar(bytes)).toBe(false));
});

describe('writeTarHeader', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[!-~]{1,99}$/),
        fc.integer({ min: 0, max: 2000 }),
        fc.integer({ min: 0, max: 0o7777 }),
        fc.integer({ min: 0, max: 2 ** 33 - 1 }),
        (path, size, mode, mtime) => {
          const header = writeTarHeader({ path, type: 'file', size, mode, mtime });
          const { entries } = readTar(
            Buffer.concat([header, Buffer.alloc(size, 1), writeTarPadding(size), END_MARKER]),
          );
          expect(entries).toMatchObject([{ type: 'file', name: path, size, mode, mtime, uid: 0, gid: 0 }]);
        },
      ),
    );
  });

  it('says sizes past 8 GiB', () => {
    const header = writeTarHeader({ path: 'x', type: 'file', size: 2 ** 40, mode: 0o644, mtime: 0 });
    expect(() => readTar(header)).toThrow(expect.objectContaining({ code: 'tar-truncated' }));
    expect(() => readTar(header, { limits: { fileSize: 2 ** 40 - 1 } })).toThrow(
      expect.objectContaining({ fields: expect.objectContaining({ value: 2 ** 40 }) }),
    );
  });

  it('refuses what a ustar header cannot hold', () => {
    const header = { path: 'x', type: 'file', size: 0, mode: 0o644, mtime: 0 } as const;
    for (const change of [
      { path: 'n'.repeat(101) },
      { path: '' },
      { path: 'ü' },
      { mode: 2 ** 40 },
      { size: -1 },
    ]) {
      expect(() => writeTarHeader({ ...header, ...change })).toThrow(RangeError);
    }
  });
});

describe('pathText', () => {
  it.each([
    ['usr/bin/größe', 'usr/bin/größe'],
    [Buffer.from([0x61, 0xff, 0x62]), 'a\\xffb'],
    [Buffer.from([0xc3]), '\\xc3'],
    [Buffer.from([0xed, 0xa0, 0x80]), '\\xed\\xa0\\x80'],
    ['a\nb\x1b[0m\x7f', 'a\\x0ab\\x1b[0m\\x7f'],
    ['\u009b', '\\xc2\\x9b'],
    ['\ufffd', '\ufffd'],
    ['x'.repeat(300), `${'x'.repeat(256)}…`],
  ])('%j', (path, text) => expect(pathText(Buffer.from(path as string))).toBe(text));

  it('is JSON of bounded length for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const text = pathText(bytes);
        expect(text.length).toBeLessThanOrEqual(4 * 256 + 1);
        expect(text.isWellFormed()).toBe(true);
        expect(/\p{Cc}/u.test(text)).toBe(false);
      }),
    );
  });
});
