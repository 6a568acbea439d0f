import fc from 'fast-check';
import { Fault } from '../../../src/base/fault.ts';
import { decodeLayerIndex, encodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import { formatLayerIndex } from '../../../src/image/layer/index-text.ts';
import { createLayerDraft } from '../../../src/image/layer/layer-draft.ts';
import { DEFAULT_LAYER_LIMITS } from '../../../src/image/layer/layer-limits.ts';
import { contentsOf, indexLines } from './index-lines.ts';
import { ModelError, ModelLayer } from './model-layer.ts';
import { CONTENTS, randomTar } from './random-tar.ts';
import {
  directory,
  draftOf,
  file,
  hardlink,
  type Member,
  objectOf,
  symlink,
  tarEntry,
} from './tar-entries.ts';

/** The entries without the objects, as text. */
function entries(members: readonly Member[]): string[] {
  const index = decodeLayerIndex(encodeLayerIndex(draftOf(members)));
  return [...formatLayerIndex(index)].filter((line) => !/^(shpindex|object|leaf) /.test(line));
}

function faultOf(members: readonly Member[]): Fault {
  try {
    draftOf(members);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error('no fault');
}

const ROOT = 'directory 0755 0:0 0.000000000 / implied';

describe('layer draft', () => {
  it('ends with what a plain unpacking of the same tar has on disk, or with the same fault', () => {
    const contentOf = contentsOf(CONTENTS);
    fc.assert(
      fc.property(randomTar, (members) => {
        const model = new ModelLayer();
        const failing = members.findIndex((member) => {
          const before = model.copy();
          try {
            model.unpack(member);
          } catch (thrown) {
            if (!(thrown instanceof ModelError)) throw thrown;
            expect(faultOf(members).code).toBe(thrown.message);
            Object.assign(model, before);
            return true;
          }
          return false;
        });
        const good = failing < 0 ? members : members.slice(0, failing);
        const index = decodeLayerIndex(encodeLayerIndex(draftOf(good)));
        expect(indexLines(index, contentOf)).toEqual(model.lines());
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '/a/b',
    './a/b',
    'a//b',
    'a/../a/./b',
    '/../a/b',
    'x/../../../a/b'.replace('x/../../../', '/x/../../'),
  ])('cleans the name %s as filepath.Clean does', (path) => {
    expect(entries([file(path, 'x')])).toEqual([
      ROOT,
      'directory 0755 0:0 0.000000000 /a implied',
      'file 0644 0:0 0.000000000 /a/b object=0',
    ]);
  });

  it.each(['../x', 'a/../../x', '..'])('refuses the name %s, which leaves the root, and says it', (path) => {
    const fault = faultOf([file(path)]);
    expect(fault.code).toBe('path-leaves-root');
    expect(fault.fields['entry']).toBe(`"${path}"`);
  });

  it.each(['', '.', '/', './'])('takes the name "%s" for the root directory', (path) => {
    expect(entries([directory(path, { mode: 0o1777, uid: 7 })])).toEqual([
      'directory 1777 7:0 0.000000000 /',
    ]);
  });

  it('keeps the old content under a hard link whose target is replaced later', () => {
    const members = [
      file('a', 'old', { mode: 0o600 }),
      hardlink('b', 'a', { mode: 0o600 }),
      file('a', 'new'),
    ];
    const index = decodeLayerIndex(encodeLayerIndex(draftOf(members)));
    const b = index.lookup(0, Buffer.from('b'));
    expect(index.kind(b)).toBe('file');
    expect(index.objectDigest(index.object(b))).toEqual(objectOf('old').hash);
    expect(index.mode(b)).toBe(0o600);
  });

  it('lets the header of the last hard link describe the inode', () => {
    expect(
      entries([file('b', 'x', { uid: 1 }), hardlink('a', 'b', { uid: 2, mode: 0o700, mtime: 9 })]),
    ).toEqual([ROOT, 'file 0700 2:0 9.000000000 /a object=0', 'hardlink 0700 2:0 9.000000000 /b to=/a']);
  });

  it('takes file capabilities away from an inode that a hard link without them describes', () => {
    const capable = file('b', 'x', { xattrs: { 'security.capability': 'c', 'user.a': '1' } });
    expect(entries([capable, hardlink('a', 'b')])[1]).toBe(
      'file 0644 0:0 0.000000000 /a object=0 xattr=user.a:31',
    );
  });

  it('names a hard link to a lower layer by the path its own symlinks lead to', () => {
    expect(entries([symlink('bin', 'usr/bin'), hardlink('x', 'bin/sh', { mode: 0o755 })])).toEqual([
      ROOT,
      'symlink 0777 0:0 0.000000000 /bin link=usr/bin',
      'hardlink 0755 0:0 0.000000000 /x lower=/usr/bin/sh',
    ]);
  });

  it('puts an entry below a symlink at its target inside the root', () => {
    const paths = entries([symlink('lib', '/../usr/lib'), file('lib/x', 'x')]).map(
      (line) => line.split(' ')[4],
    );
    expect(paths).toEqual(['/', '/lib', '/usr', '/usr/lib', '/usr/lib/x']);
  });

  it('refuses a loop of symlinks in time and says the entry', () => {
    expect(faultOf([symlink('a', 'b'), symlink('b', 'a'), file('a/x')]).code).toBe('symlink-loop');
    const many = `${'b/'.repeat(1500)}b`;
    expect(faultOf([symlink('b', '.'), symlink('c', many), file('c/x')]).code).toBe('symlink-loop');
  });

  it('refuses an entry below a file and names both', () => {
    const fault = faultOf([file('a/b'), file('a/b/c/d')]);
    expect(fault.code).toBe('parent-not-directory');
    expect(fault.fields).toMatchObject({ entry: '"a/b/c/d"', parent: '"a/b"' });
  });

  it('makes a whiteout beside a directory an opaque directory, in both orders', () => {
    const both = [file('.wh.d', ''), directory('d', { mode: 0o700 })];
    const line = 'directory 0700 0:0 0.000000000 /d opaque';
    expect(entries(both)[1]).toBe(line);
    expect(entries(both.toReversed())[1]).toBe(line);
  });

  it.each(['.wh.', 'a/.wh..', '.wh...'])('refuses the whiteout of no name %s', (path) => {
    expect(faultOf([file(path)]).code).toBe('bad-whiteout');
  });

  it('leaves the records of AUFS out', () => {
    expect(entries([file('.wh..wh.plnk'), directory('.wh..wh.orph'), file('.wh..wh.aufs/1.2', 'x')])).toEqual(
      [ROOT],
    );
  });

  it.each<[string, Member[]]>([
    ['hardlink-to-directory', [directory('d'), hardlink('a', 'd')]],
    ['hardlink-to-directory', [hardlink('a', '/..')]],
    ['hardlink-to-itself', [file('a'), hardlink('a', './a')]],
    ['name-too-long', [file('n'.repeat(256))]],
    ['path-too-long', [file('n/'.repeat(2049))]],
    ['bad-name', [file('a\0b')]],
    ['bad-link', [symlink('a', '')]],
    ['bad-link', [symlink('a', 'x\0')]],
    ['link-too-long', [symlink('a', 'x'.repeat(4096))]],
    ['bad-xattr', [file('a', '', { xattrs: { ['x'.repeat(256)]: '' } })]],
    ['xattrs-too-big', [file('a', '', { xattrs: { 'user.a': 'x'.repeat(300_000) } })]],
  ])('refuses with %s', (code, members) => {
    const fault = faultOf(members);
    expect([fault.kind, fault.code]).toEqual(['invalid', code]);
    expect(fault.message.length).toBeLessThan(400);
  });

  it('holds the limits on entries and on all extended attributes', () => {
    const limits = { ...DEFAULT_LAYER_LIMITS, entries: 3, xattrBytes: 40 };
    expect(() => draftOf([file('a/b/c')], limits)).toThrow('3 are allowed');
    const marked = ['1', '2', '3'].map((value) => file('a', '', { xattrs: { 'user.attr': value } }));
    expect(() => draftOf(marked, limits)).toThrow('extended attributes');
  });

  it('knows the objects that are left', () => {
    const kept = draftOf([file('a', 'old'), file('a', 'new'), file('b', 'b'), file('.wh.c', 'ghost')]);
    expect(kept.objectCount).toBe(2);
    expect(kept.contentSize).toBe(4);
    expect(kept.keepsObject(objectOf('old').hash)).toBe(false);
    expect(kept.keepsObject(objectOf('ghost').hash)).toBe(false);
    expect(kept.objectNumber(objectOf('b').hash)).toBe(1);
    expect(kept.objectNumber(objectOf('old').hash)).toBe(-1);
  });

  it('answers the same for the same tar whatever content was replaced', () => {
    const content = 'x'.repeat(300_000);
    const first = encodeLayerIndex(draftOf([file('a', content)]));
    expect(encodeLayerIndex(draftOf([symlink('a', 'q'), file('a', content)]))).toEqual(first);
  });

  it('keeps none of the arrays it was given, Buffers neither', () => {
    const object = objectOf('y'.repeat(300_000));
    const entry = tarEntry(file('name', '', { xattrs: { 'user.a': 'value' } }));
    const build = (spoil: boolean): Uint8Array => {
      const given = {
        ...entry,
        path: Buffer.from(entry.path),
        xattrs: entry.xattrs.map(({ name, value }) => ({
          name: Buffer.from(name),
          value: Buffer.from(value),
        })),
      };
      const hashed = {
        size: object.size,
        hash: Buffer.from(object.hash),
        leaves: Buffer.from(object.leaves as Uint8Array),
      };
      const draft = createLayerDraft(DEFAULT_LAYER_LIMITS);
      draft.add(given, hashed);
      const arrays = [
        given.path,
        hashed.hash,
        hashed.leaves,
        ...given.xattrs.flatMap((x) => [x.name, x.value]),
      ];
      if (spoil) for (const array of arrays) array.fill(0);
      return encodeLayerIndex(draft.finish());
    };
    expect(build(true)).toEqual(build(false));
  });
});
