import fc from 'fast-check';
import { Fault } from '../../../src/base/fault.ts';
import { decodeLayerIndex, encodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import { DEFAULT_INDEX_LIMITS } from '../../../src/image/layer/index-limits.ts';
import { formatLayerIndex, parseLayerIndexText } from '../../../src/image/layer/index-text.ts';
import type { LayerIndex } from '../../../src/image/layer/layer-index.ts';
import { verifyObjects } from '../../../src/image/layer/object-check.ts';
import { GOLDEN_MEMBERS, readGolden } from './golden-layer.ts';
import { randomTar } from './random-tar.ts';
import { directory, draftOf, file, type Member, symlink } from './tar-entries.ts';

const golden = new Uint8Array(encodeLayerIndex(draftOf(GOLDEN_MEMBERS)));
const textOf = (index: LayerIndex): string => [...formatLayerIndex(index)].join('\n');

function encoded(members: readonly Member[]): Uint8Array | undefined {
  try {
    return encodeLayerIndex(draftOf(members));
  } catch (thrown) {
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  }
}

/** Every getter of every entry: none may throw on an index that was decoded. */
function readAll(index: LayerIndex): void {
  for (let entry = 0; entry < index.entryCount; entry++) {
    const { first, end } = index.children(entry);
    for (let child = first; child < end; child++) expect(index.parent(child)).toBe(entry);
    if (entry > 0) expect(index.lookup(index.parent(entry), index.name(entry))).toBe(entry);
    if (index.object(entry) >= 0) index.objectCid(index.object(entry));
  }
  textOf(index);
}

describe('layer index', () => {
  it('has the bytes and the text of version 1', () => {
    expect(Buffer.from(golden).equals(readGolden('index-1.bin'))).toBe(true);
    expect(`${textOf(decodeLayerIndex(golden))}\n`).toBe(readGolden('index-1.txt').toString());
  });

  it('answers names as bytes, sizes, links and devices', () => {
    const index = decodeLayerIndex(golden);
    const find = (path: string): number =>
      path.split('/').reduce((at, name) => index.lookup(at, Buffer.from(name)), 0);
    const big = find('big');
    expect(index.size(big)).toBe(600_000);
    expect(index.objectLeaves(index.object(big))?.length).toBe(96);
    expect(index.size(find('bin'))).toBe(7);
    expect(index.uid(find('etc/hosts'))).toBe(0xffffffff);
    expect(index.mtime(find('etc'))).toBe(-1);
    expect([index.devMajor(find('dev/sda')), index.devMinor(find('dev/sda'))]).toEqual([8, 0]);
    expect(index.devMajor(big)).toBe(0);
    expect(index.hardlinkEntry(find('usr/bin/ping6'))).toBe(find('usr/bin/ping'));
    expect(Buffer.from(index.linkTarget(find('usr/bin/ping6'))).toString()).toBe('usr/bin/ping');
    expect(index.hardlinkEntry(find('usr/bin/sh'))).toBe(-1);
    expect(find('nowhere')).toBe(-1);
    expect(index.xattrs(find('usr/bin/ping')).map(({ name }) => Buffer.from(name).toString())).toEqual([
      'security.capability',
      'user.note',
    ]);
  });

  it('reads back what was written, also from bytes on no boundary, and its text gives the same bytes', () => {
    fc.assert(
      fc.property(randomTar, (members) => {
        const bytes = encoded(members);
        fc.pre(bytes !== undefined);
        const shifted = new Uint8Array(bytes.length + 3);
        shifted.set(bytes, 3);
        const index = decodeLayerIndex(shifted.subarray(3));
        readAll(index);
        expect(parseLayerIndexText(textOf(index))).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps names and targets of any bytes in its text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (raw) => {
        const path = raw.map((byte) => (byte === 0 || byte === 0x2f ? 0x80 : byte));
        fc.pre(!/^(\.|\.\.|\.wh\..*)$/s.test(Buffer.from(path).toString('latin1')));
        const text = `shpindex 1\ndirectory 0755 0:0 0.000000000 / implied`;
        const bytes = parseLayerIndexText(text);
        const name = [...path].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
        const named = parseLayerIndexText(`${text}\nsymlink 0777 0:0 0.000000000 /${name} link=${name}`);
        expect(named.length).toBeGreaterThan(bytes.length);
        const index = decodeLayerIndex(named);
        expect(Buffer.compare(index.name(1), path)).toBe(0);
        expect(Buffer.compare(index.linkTarget(1), path)).toBe(0);
        expect(parseLayerIndexText(textOf(index))).toEqual(named);
      }),
    );
  });

  it('never throws anything but a fault on changed bytes, and encodes to the same bytes what it takes', () => {
    const change = fc.record({ at: fc.nat(golden.length - 1), value: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(golden.length), (changes, cut) => {
        const bytes = golden.slice(0, cut % 4 === 0 ? cut : golden.length);
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        let index: LayerIndex;
        try {
          index = decodeLayerIndex(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
          return;
        }
        readAll(index);
        expect(parseLayerIndexText(textOf(index))).toEqual(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses every single changed byte of header and table', () => {
    for (let at = 0; at < 360; at++) {
      const bytes = golden.slice();
      bytes[at] = (bytes[at] as number) ^ 1;
      expect(() => decodeLayerIndex(bytes)).toThrow(Fault);
    }
  });

  it.each<[string, string[]]>([
    ['name', ['fifo 0644 0:0 0.000000000 /..']],
    ['order of the name', ['directory 0755 0:0 0.000000000 /b', 'directory 0755 0:0 0.000000000 /a']],
    ['order of the name', ['directory 0755 0:0 0.000000000 /a', 'directory 0755 0:0 0.000000000 /a']],
    ['parent', ['fifo 0644 0:0 0.000000000 /a', 'fifo 0644 0:0 0.000000000 /a/b']],
    [
      'parent',
      [
        'directory 0755 0:0 0.000000000 /a',
        'directory 0755 0:0 0.000000000 /b',
        'fifo 0644 0:0 0.000000000 /b/x',
        'fifo 0644 0:0 0.000000000 /a/x',
      ],
    ],
    ['mode', ['symlink 0644 0:0 0.000000000 /a link=b']],
    ['flags', ['fifo 0644 0:0 0.000000000 /a opaque']],
    ['attributes', ['directory 0700 0:0 0.000000000 /a implied']],
    ['attributes', ['whiteout 0644 0:0 0.000000000 /a']],
    ['nanoseconds', ['fifo 0644 0:0 0.1000000000 /a']],
    ['link target', ['symlink 0777 0:0 0.000000000 /a link=']],
    ['link target', ['symlink 0777 0:0 0.000000000 /a link=%00']],
    ['link target', ['hardlink 0644 0:0 0.000000000 /a lower=/b/../c']],
    ['hard link target', ['directory 0755 0:0 0.000000000 /a', 'hardlink 0755 0:0 0.000000000 /b to=/a']],
    [
      'hard link target',
      [
        'fifo 0644 0:0 0.000000000 /a',
        'hardlink 0644 0:0 0.000000000 /b to=/a',
        'hardlink 0644 0:0 0.000000000 /c to=/b',
      ],
    ],
    [
      'attributes of the hard link',
      ['fifo 0644 0:0 0.000000000 /a', 'hardlink 0600 0:0 0.000000000 /b to=/a'],
    ],
    [
      'length of the path',
      Array.from(
        { length: 20 },
        (_, i) => `directory 0755 0:0 0.000000000 ${`/${'n'.repeat(255)}`.repeat(i + 1)}`,
      ),
    ],
  ])('refuses a bad %s and names the entry', (what, lines) => {
    const text = ['shpindex 1', 'directory 0755 0:0 0.000000000 / implied', ...lines];
    expect(() => parseLayerIndexText(text.join('\n'))).toThrow(
      new RegExp(`not a layer index: ${what} of entry \\d`),
    );
  });

  it('holds its limits before it reads', () => {
    const limits =
      (more: object): (() => LayerIndex) =>
      () =>
        decodeLayerIndex(golden, { ...DEFAULT_INDEX_LIMITS, ...more });
    expect(limits({ entries: 5 })).toThrow('5 are allowed');
    expect(limits({ bytes: 100 })).toThrow('100 are allowed');
    expect(limits({ xattrBytes: 3 })).toThrow('3 are allowed');
  });

  it('names an index of another version', () => {
    const bytes = golden.slice();
    bytes[8] = 2;
    expect(() => decodeLayerIndex(bytes)).toThrow('version 2');
  });

  it.each([
    ['shpindex 2', 1],
    ['shpindex 1\nfile', 2],
    ['shpindex 1\nobject 0 5 zz', 2],
    ['shpindex 1\ndirectory 0755 0:0 0.000000000 /\nfile 0644 0:0 0.000000000 /a object=0', 3],
    ['shpindex 1\ndirectory 0755 0:0 0.000000000 /\nfifo 0644 0:0 0.000000000 /a/b', 3],
    ['shpindex 1\ndirectory 0755 0:0 0.000000000 / what', 2],
  ])('names the line of a bad text: %j', (text, line) => {
    let fault: unknown;
    try {
      parseLayerIndexText(text);
    } catch (thrown) {
      fault = thrown;
    }
    expect(fault).toMatchObject({ code: 'bad-index-text', fields: { line } });
  });

  it('finds an object whose leaves make another root', () => {
    verifyObjects(decodeLayerIndex(golden));
    const text = textOf(decodeLayerIndex(golden));
    const lying = parseLayerIndexText(text.replace(/^leaf [0-9a-f]{2}/m, 'leaf 00'));
    expect(() => verifyObjects(decodeLayerIndex(lying))).toThrow('do not make bafy');
  });

  it('reads a layer of 100,000 entries', () => {
    const members: Member[] = [];
    for (let i = 0; i < 300; i++) {
      members.push(directory(`d${i}`));
      for (let j = 0; j < 332; j++)
        members.push(j % 10 === 0 ? symlink(`d${i}/l${j}`, 'x') : file(`d${i}/f${j}`, `${j}`));
    }
    const index = decodeLayerIndex(encodeLayerIndex(draftOf(members)));
    expect(index.entryCount).toBe(99_901);
    const entry = index.lookup(index.lookup(0, Buffer.from('d299')), Buffer.from('f331'));
    expect(Buffer.from(index.path(entry)).toString()).toBe('d299/f331');
  });
});
