import fc from 'fast-check';
import { mergeLayers } from '../../src/image/layer/merged-tree.ts';
import { formatMergedTree } from '../../src/image/layer/merged-tree-text.ts';
import { openFrameView } from '../fuse/frame-view.ts';
import { CONTENTS, randomTar } from '../image/layer/random-tar.ts';
import type { Member } from '../image/layer/tar-entries.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { chainRecord, type ServedLayers, serveLayers } from './served-layers.ts';
import { indexOf, type StoredEntry, storeLayer, storeObject } from './stored-layers.ts';
import { walkLines } from './walk-lines.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const file = (path: string, content: string, more: Partial<StoredEntry> = {}): StoredEntry => ({
  type: 'file',
  path,
  content,
  ...more,
});
const directory = (path: string, more: Partial<StoredEntry> = {}): StoredEntry => ({
  type: 'directory',
  path,
  ...more,
});
const hardlink = (path: string, link: string): StoredEntry => ({ type: 'hardlink', path, link });
const symlink = (path: string, link: string): StoredEntry => ({ type: 'symlink', path, link, mode: 0o777 });

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder('layerfs');
});
afterEach(() => folder[Symbol.dispose]());

function serve(...layers: (readonly StoredEntry[])[]): ServedLayers {
  const served = serveLayers(folder.path);
  const indexes = layers.map((entries) => storeLayer(folder.path, entries));
  served.command({ do: 'add', chain: chainRecord(indexes) });
  return served;
}
const view = ({ layerfs }: ServedLayers) => openFrameView(layerfs.filesystem);

/** The members that a layer may have: one that the draft refuses is left out. */
function acceptable(members: readonly Member[]): StoredEntry[] {
  const entries: StoredEntry[] = [];
  for (const member of members) {
    const { xattrs, ...rest } = member;
    const entry: StoredEntry = {
      ...rest,
      xattrs: Object.fromEntries(Object.entries(xattrs ?? {}).map(([name, value]) => [name, latin1(value)])),
    };
    try {
      indexOf([...entries, entry]);
      entries.push(entry);
    } catch {}
  }
  return entries;
}

/** A tree of one layer that has every kind of entry and every odd attribute. */
const everything: StoredEntry[] = [
  directory('./', { mode: 0o711, uid: 3 }),
  file('plain', 'x', { mode: 0o4755, uid: 4_000_000_000, mtime: -1, mtimeNanos: 999_999_999 }),
  file(`n${'\xff\xfe'}\x01\n`, 'odd'),
  file('l'.repeat(255), 'long'),
  symlink('deep-link', `${'a/'.repeat(2047)}b`),
  { type: 'fifo', path: 'pipe' },
  { type: 'chardev', path: 'null', device: [1, 3] },
  { type: 'chardev', path: 'zero', device: [0, 0] },
  { type: 'blockdev', path: 'disk', device: [8, 17] },
  file('attributed', '', {
    xattrs: {
      'security.capability': Uint8Array.of(1, 0, 2),
      'user.x': latin1(''),
      'trusted.overlay.opaque': latin1('y'),
    },
  }),
  file('implied/here/file', 'x'),
];

describe('the tree of a chain', () => {
  it('is the merged tree, entry by entry', async () => {
    const contents = CONTENTS.map(latin1);
    await fc.assert(
      fc.asyncProperty(fc.array(randomTar, { minLength: 1, maxLength: 4 }), async (tars) => {
        const layers = tars.map(acceptable);
        for (const content of contents) storeObject(folder.path, content);
        const served = serve(...layers);
        const merged = mergeLayers(layers.map(indexOf));
        const lines = [...formatMergedTree(merged)];
        expect((await walkLines(view(served), 't/chain')).sort()).toEqual(lines.sort());
        served.layerfs.close();
      }),
      { numRuns: 60 },
    );
  });

  it('counts of a file the names that show', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(randomTar, { minLength: 1, maxLength: 4 }), async (tars) => {
        const layers = tars.map(acceptable);
        for (const content of CONTENTS) storeObject(folder.path, latin1(content));
        const served = serve(...layers);
        const seen = view(served);
        const names = new Map<number, number>();
        const counts = new Map<number, number>();
        const visit = async (path: string): Promise<void> => {
          for (const name of await seen.list(path)) {
            const { mode, inode, nlink } = await seen.stat(`${path}/${name}`);
            if ((mode & 0o170000) === 0o040000) await visit(`${path}/${name}`);
            else {
              names.set(inode, (names.get(inode) ?? 0) + 1);
              counts.set(inode, nlink);
            }
          }
        };
        await visit('t/chain');
        expect(counts).toEqual(names);
        served.layerfs.close();
      }),
      { numRuns: 100 },
    );
  });

  it("shows overlayfs's own attributes of a layer under names that do nothing", async () => {
    const xattrs = {
      'trusted.overlay.redirect': latin1('/etc'),
      'trusted.overlay.overlay.opaque': latin1('y'),
      'trusted.overlayx': latin1('no'),
    };
    const served = serve([file('a', 'x', { xattrs })]);
    const shown = view(served);
    expect((await shown.xattrNames('t/chain/a')).sort()).toEqual([
      'trusted.overlay.overlay.overlay.opaque',
      'trusted.overlay.overlay.redirect',
      'trusted.overlayx',
    ]);
    expect(await shown.xattr('t/chain/a', 'trusted.overlay.overlay.redirect')).toEqual(latin1('/etc'));
    expect(await shown.xattr('t/chain/a', 'trusted.overlay.overlay.overlay.opaque')).toEqual(latin1('y'));
    for (const name of [
      'trusted.overlay.redirect',
      'trusted.overlay.opaque',
      'trusted.overlay.overlay.opaque',
    ])
      await expect(shown.xattr('t/chain/a', name)).rejects.toMatchObject({ code: 'ENODATA' });
  });

  it('shows every kind of entry as it is in the layer', async () => {
    const served = serve(everything);
    const lines = [...formatMergedTree(mergeLayers([indexOf(everything)]))];
    expect((await walkLines(view(served), 't/chain')).sort()).toEqual(lines.sort());
    expect(lines).toHaveLength(everything.length + 2);
  });

  it('gives a directory one link, so that no program skips a look into it', async () => {
    const seen = view(serve([directory('a'), directory('a/b'), directory('a/c')]));
    expect((await seen.stat('t/chain/a')).nlink).toBe(1);
  });

  it('shows in 32 bits what ls -i prints, and nothing of it twice on one path', async () => {
    const seen = view(serve([file('a/b/c', 'x')]));
    const inodes = [];
    for (const path of ['', 't', 'o', 't/chain', 't/chain/a', 't/chain/a/b', 't/chain/a/b/c']) {
      inodes.push((await seen.stat(path)).inode);
    }
    expect(new Set(inodes).size).toBe(inodes.length);
    expect(Math.max(...inodes)).toBeLessThan(2 ** 32);
  });

  it.each([true, false])('lists . and .. with their own inodes (plus: %s)', async (plus) => {
    const seen = view(serve([file('a/b/c', 'x')], [file('a/b/d', 'y')]));
    const inodeOf = async (path: string) => BigInt((await seen.stat(path)).inode);
    const dots = (path: string) =>
      seen
        .entries(seen.nodeOf(path), plus, 4096)
        .slice(0, 2)
        .map(({ inode }) => BigInt(inode));
    expect(dots('t/chain/a/b')).toEqual([await inodeOf('t/chain/a/b'), await inodeOf('t/chain/a')]);
    expect(dots('t/chain')).toEqual([await inodeOf('t/chain'), await inodeOf('t')]);
    expect(dots('t')).toEqual([await inodeOf('t'), await inodeOf('')]);
  });

  it.each([4096, 32_768])('goes on in a directory where it ended, %i bytes at a time', async (size) => {
    const names = Array.from({ length: 5000 }, (_, n) => `d/name-${n}`);
    const seen = view(
      serve(
        names.slice(0, 3000).map((name) => file(name, 'x')),
        names.slice(2000).map((name) => file(name, 'y')),
      ),
    );
    const listed = seen
      .entries(seen.nodeOf('t/chain/d'), true, size)
      .map(({ name }) => Buffer.from(name).toString());
    expect(listed.slice(2).sort()).toEqual(names.map((name) => name.slice(2)).sort());
  });

  it('lists all of a big directory while others are listed in between', () => {
    const seen = view(
      serve([...Array(200).keys()].flatMap((d) => [...Array(20).keys()].map((n) => file(`${d}/${n}`, 'x')))),
    );
    const nodes = [...Array(200).keys()].map((d) => seen.nodeOf(`t/chain/${d}`));
    const offsets = nodes.map(() => 0);
    const lengths = nodes.map(() => 0);
    for (let round = 0; round < 22; round++) {
      for (const [at, node] of nodes.entries()) {
        const { bytes } = seen.ask('READDIR', node, { offset: offsets[at]!, size: 32 });
        if (bytes.length === 0) continue;
        offsets[at] = Number(Buffer.from(bytes).readBigUInt64LE(8));
        lengths[at]!++;
      }
    }
    expect(new Set(lengths)).toEqual(new Set([22]));
  });

  it('means the same by a node after everything was forgotten and made again', async () => {
    const layers = [everything, [file('plain', 'new'), directory('implied/here'), hardlink('again', 'null')]];
    const first = serve(...layers);
    const nodes = new Map<string, number>();
    const one = view(first);
    const paths = (await walkLines(one, 't/chain')).map((line) => line.split(' ')[4]!);
    expect(paths).toContain('/again');
    for (const path of paths.filter((each) => !each.includes('%')))
      nodes.set(path, one.nodeOf(`t/chain${path === '/' ? '' : path}`));
    first.layerfs.close();
    const other = view(serve(...layers));
    // Asked for by number, before anything was looked up.
    for (const [path, node] of nodes) {
      const { body } = other.ask('GETATTR', node);
      expect([path, Number(body!['inode'])]).toEqual([path, (node % 2 ** 32) + 3]);
    }
    for (const [path, node] of nodes) expect(other.nodeOf(`t/chain${path === '/' ? '' : path}`)).toBe(node);
  });

  it('answers for nodes that never were with ESTALE', () => {
    const { layerfs, command } = serve([file('a', 'x')]);
    const seen = openFrameView(layerfs.filesystem);
    const attempt = (node: number) => {
      try {
        return seen.ask('GETATTR', node).errno;
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    for (const node of [4, 2 ** 32, 2 ** 32 + 3, 2 ** 33 + 1, 2 ** 53 - 1])
      expect([node, attempt(node)]).toEqual([node, 'ESTALE']);
    const node = seen.nodeOf('t/chain/a');
    command({ do: 'forget', key: 'chain' });
    expect(attempt(node)).toBe('ESTALE');
  });

  it('does not let a chain stay absent that was looked for before it came', async () => {
    const served = serveLayers(folder.path);
    const seen = view(served);
    // An error, which the kernel does not keep; an absent entry it would.
    expect(() => seen.ask('LOOKUP', 2, {}, ['chain'])).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    served.command({ do: 'add', chain: chainRecord([storeLayer(folder.path, [file('a', 'x')])]) });
    expect(await seen.list('t/chain')).toEqual(['a']);
    expect(await seen.list('t')).toEqual(['chain']);
    expect((await seen.list('')).sort()).toEqual(['o', 't']);
    expect(await seen.list('o')).toEqual([]);
  });

  it('answers EIO for a chain whose index is not here, and is there when it came', async () => {
    const served = serveLayers(folder.path, { clock: { now: Date.now, monotonic: () => at } });
    let at = 0;
    const entries = [file('a', 'x')];
    const cid = storeLayer(`${folder.path}/elsewhere`, entries);
    served.command({ do: 'add', chain: chainRecord([cid]) });
    const seen = view(served);
    expect(() => seen.nodeOf('t/chain')).toThrow(expect.objectContaining({ code: 'EIO' }));
    expect(() => seen.nodeOf('t/chain')).toThrow(expect.objectContaining({ code: 'EIO' }));
    expect(served.log).toEqual([expect.stringContaining(`the layer index ${cid} is not here`)]);
    storeLayer(folder.path, entries);
    at = 1001;
    expect(await seen.list('t/chain')).toEqual(['a']);
  });

  it('reads indexes again that had to make room', async () => {
    const served = serveLayers(folder.path, { indexBytes: 1 });
    const seen = view(served);
    for (let number = 1; number <= 3; number++) {
      const cid = storeLayer(folder.path, [file(`in-${number}`, 'x')]);
      served.command({ do: 'add', chain: chainRecord([cid], { number, key: `chain-${number}` }) });
    }
    for (let round = 0; round < 2; round++) {
      for (let number = 1; number <= 3; number++) {
        expect(await seen.list(`t/chain-${number}`)).toEqual([`in-${number}`]);
      }
    }
  });
});

describe('a chain that cannot be', () => {
  it.each([
    ['a slash in its key', { key: 'a/b' }],
    ['a dot for a key', { key: '..' }],
    ['no key', { key: '' }],
    ['number 0', { number: 0 }],
    ['number 2^21', { number: 2 ** 21 }],
    ['half a number', { number: 1.5 }],
    ['no layers', { indexes: [] }],
  ])('is refused: %s', (_, more) => {
    const served = serveLayers(folder.path);
    served.command({ do: 'add', chain: chainRecord(['x'], more) });
    expect(served.log).toEqual([expect.stringContaining('a command was not carried out')]);
  });

  it('does not take the number of another one', async () => {
    const served = serve([file('a', 'x')]);
    const cid = storeLayer(folder.path, [file('b', 'x')]);
    served.command({ do: 'add', chain: chainRecord([cid], { key: 'other' }) });
    expect(served.log).toEqual([expect.stringContaining('the chain number 1 is taken')]);
    expect(await view(served).list('t')).toEqual(['chain']);
  });
});
