import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { storeLayout } from '../../src/store/store-layout.ts';
import { openFrameView } from '../fuse/frame-view.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { chainRecord, type ServedLayers, serveLayers } from './served-layers.ts';
import { indexBytes, type StoredEntry, storeLayer } from './stored-layers.ts';

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder('hostile');
});
afterEach(() => folder[Symbol.dispose]());

const ENTRIES: StoredEntry[] = [
  { type: 'directory', path: 'etc', xattrs: { 'user.a': Uint8Array.of(1, 2) } },
  { type: 'file', path: 'etc/passwd', content: 'root' },
  { type: 'hardlink', path: 'etc/shadow', link: 'etc/passwd' },
  { type: 'hardlink', path: 'below', link: 'usr/bin/env' },
  { type: 'symlink', path: 'bin', link: 'usr/bin' },
  { type: 'chardev', path: 'null', device: [1, 3] },
  { type: 'file', path: 'usr/lib/.wh.old', content: '' },
  { type: 'file', path: 'var/.wh..wh..opq', content: '' },
];
const LOWER: StoredEntry[] = [
  { type: 'file', path: 'usr/bin/env', content: 'env' },
  { type: 'file', path: 'usr/lib/old', content: 'old' },
  { type: 'file', path: 'var/gone', content: 'x' },
];

/** Puts bytes where an index of this name would be: nobody checks the name against them here. */
function storeAs(name: string, bytes: Uint8Array): string {
  const path = storeLayout(folder.path).object(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return name;
}

/** Asks for all that a tree has; what cannot be answered is an errno. @returns paths seen */
async function walk({ layerfs }: ServedLayers, root: string, most: number): Promise<string[]> {
  const view = openFrameView(layerfs.filesystem);
  const seen: string[] = [];
  const visit = async (path: string): Promise<void> => {
    const { mode } = await view.stat(path);
    seen.push(path);
    expect(seen.length).toBeLessThan(most);
    await view.xattrNames(path);
    if ((mode & 0o170000) === 0o120000) await view.link(path);
    if ((mode & 0o170000) !== 0o040000) return;
    for (const name of await view.list(path)) {
      expect(name).not.toMatch(/[/\0]|^\.{0,2}$/);
      await visit(`${path}/${name}`);
    }
  };
  await visit(root);
  return seen;
}

describe('a hostile index', () => {
  it('is EIO or a tree, whatever bytes of it are changed', async () => {
    const good = indexBytes(ENTRIES);
    const lower = storeLayer(folder.path, LOWER);
    const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
    let trees = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = good.slice();
        for (const { at, to } of changes) bytes[at] = to;
        const served = serveLayers(folder.path);
        served.command({ do: 'add', chain: chainRecord([lower, storeAs('changed-index', bytes)]) });
        try {
          await walk(served, 't/chain', 40);
          trees++;
        } catch (error) {
          expect((error as { code?: string }).code).toBe('EIO');
          expect(served.log).toHaveLength(1);
        }
        served.layerfs.close();
      }),
      { numRuns: 250 },
    );
    expect(trees).toBeGreaterThan(0);
  });

  it('is EIO where it is cut, empty, or something else', async () => {
    const good = indexBytes(ENTRIES);
    const files = [
      good.subarray(0, 100),
      good.subarray(0, good.length - 1),
      new Uint8Array(0),
      Buffer.from('{}'),
    ];
    for (const [at, bytes] of files.entries()) {
      const served = serveLayers(folder.path);
      served.command({ do: 'add', chain: chainRecord([storeAs(`cut-index-${at}`, bytes)]) });
      await expect(walk(served, 't/chain', 40)).rejects.toMatchObject({ code: 'EIO' });
      served.layerfs.close();
    }
  });
});

describe('a hostile stack of layers', () => {
  const link = (path: string, to: string): StoredEntry => ({ type: 'hardlink', path, link: to });

  it('of a thousand hard links to each other is walked', async () => {
    const [even, odd] = [
      [link('a', 'b'), link('b', 'a')],
      [link('b', 'a'), link('a', 'b'), link('c', 'a')],
    ];
    const served = serveLayers(folder.path);
    const cids = [LOWER, even, odd].map((entries) => storeLayer(folder.path, entries)) as [
      string,
      string,
      string,
    ];
    const indexes = [...Array(1024).keys()].map((at) =>
      at === 0 ? cids[0] : cids[1 + (at % 2)],
    ) as string[];
    served.command({ do: 'add', chain: chainRecord(indexes) });
    // They lead nowhere, all of them.
    expect((await walk(served, 't/chain', 20)).sort()).toEqual([
      't/chain',
      't/chain/usr',
      't/chain/usr/bin',
      't/chain/usr/bin/env',
      't/chain/usr/lib',
      't/chain/usr/lib/old',
      't/chain/var',
      't/chain/var/gone',
    ]);
  });

  it('of more layers than any engine runs is refused', () => {
    const served = serveLayers(folder.path);
    served.command({ do: 'add', chain: chainRecord(Array(1025).fill('x')) });
    expect(served.log).toEqual([expect.stringContaining('1025 layers')]);
  });

  it('of hard links through loops of symlinks leads nowhere', async () => {
    const lower: StoredEntry[] = [
      { type: 'symlink', path: 'x', link: 'y' },
      { type: 'symlink', path: 'y', link: 'x' },
      { type: 'symlink', path: 'up', link: '../../../up/up' },
    ];
    const served = serveLayers(folder.path);
    const indexes = [lower, [link('one', 'x/file'), link('two', 'up/up/up'), link('three', 'x')]];
    served.command({
      do: 'add',
      chain: chainRecord(indexes.map((entries) => storeLayer(folder.path, entries))),
    });
    const view = openFrameView(served.layerfs.filesystem);
    expect((await view.list('t/chain')).sort()).toEqual(['three', 'up', 'x', 'y']);
    expect((await view.stat('t/chain/x')).nlink).toBe(2);
  });
});
