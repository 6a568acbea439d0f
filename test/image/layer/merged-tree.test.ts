import fc from 'fast-check';
import { decodeLayerIndex, encodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import type { LayerIndex } from '../../../src/image/layer/layer-index.ts';
import { type MergedNode, type MergedTree, mergeLayers } from '../../../src/image/layer/merged-tree.ts';
import { formatMergedTree } from '../../../src/image/layer/merged-tree-text.ts';
import { type ContentOf, contentsOf } from './index-lines.ts';
import { inodeLine, ModelError, ModelLayer } from './model-layer.ts';
import { modelMerge } from './model-merge.ts';
import { CONTENTS, randomTar } from './random-tar.ts';
import { directory, draftOf, file, hardlink, type Member, symlink } from './tar-entries.ts';

const indexOf = (members: readonly Member[]): LayerIndex =>
  decodeLayerIndex(encodeLayerIndex(draftOf(members)));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const merge = (...layers: Member[][]): MergedTree => mergeLayers(layers.map(indexOf));
const find = (tree: MergedTree, path: string): MergedNode | undefined => tree.find(Buffer.from(path));

const names = (count: number): string[] => ['a', 'b', 'c'].slice(0, count);

function paths(tree: MergedTree): string[] {
  return [...formatMergedTree(tree)].map((line) => line.split(' ')[4] as string);
}

/** Every path with its node; each is also looked up by name and by path, and must be the same. */
function walk(tree: MergedTree): Map<string, MergedNode> {
  const nodes = new Map<string, MergedNode>([['', tree.root]]);
  for (const [path, node] of nodes) {
    if (node.kind !== 'directory') continue;
    for (const { name, node: child } of tree.readDirectory(node)) {
      const below = path === '' ? text(name) : `${path}/${text(name)}`;
      expect(tree.lookup(node, name)).toEqual(child);
      expect(find(tree, below)).toEqual(child);
      nodes.set(below, child);
    }
  }
  return nodes;
}

function treeLines(tree: MergedTree, contentOf: ContentOf): string[] {
  const nodes = walk(tree);
  const names = new Map<number, string[]>();
  for (const [path, node] of nodes) {
    if (node.kind === 'directory') continue;
    const inode = tree.inode(node);
    names.set(inode, [...(names.get(inode) ?? []), `/${path}`]);
  }
  const lines: string[] = [];
  for (const [path, node] of nodes) {
    const index = tree.indexes[node.layer] as LayerIndex;
    const from = node.attributes;
    const owner = from === undefined ? undefined : (tree.indexes[from.layer] as LayerIndex);
    const at = from?.entry ?? 0;
    const inode = {
      kind: node.kind,
      mode: owner?.mode(at) ?? 0o755,
      uid: owner?.uid(at) ?? 0,
      gid: owner?.gid(at) ?? 0,
      mtime: owner?.mtime(at) ?? 0,
      xattrs: new Map((owner?.xattrs(at) ?? []).map(({ name, value }) => [text(name), text(value)])),
      implied: false,
      ...(node.kind === 'file' && { content: contentOf(index.objectDigest(index.object(node.entry))) }),
      ...(node.kind === 'symlink' && { link: text(index.linkTarget(node.entry)) }),
      ...((node.kind === 'chardev' || node.kind === 'blockdev') && {
        device: `${index.devMajor(node.entry)}:${index.devMinor(node.entry)}`,
      }),
    };
    lines.push(inodeLine(path, inode, false, names.get(tree.inode(node)) ?? []));
  }
  return lines.sort();
}

describe('merged tree', () => {
  it('shows what applying the layers one by one to one folder gives', () => {
    const contentOf = contentsOf(CONTENTS);
    fc.assert(
      fc.property(fc.array(randomTar, { minLength: 1, maxLength: 4 }), (tars) => {
        const layers: { members: Member[]; model: ModelLayer }[] = tars.map((tar) => {
          const layer = { members: [] as Member[], model: new ModelLayer() };
          for (const member of tar) {
            const before = layer.model.copy();
            try {
              layer.model.unpack(member);
              layer.members.push(member);
            } catch (thrown) {
              if (!(thrown instanceof ModelError)) throw thrown;
              Object.assign(layer.model, before);
            }
          }
          return layer;
        });
        const tree = mergeLayers(layers.map(({ members }) => indexOf(members)));
        expect(treeLines(tree, contentOf)).toEqual(modelMerge(layers.map(({ model }) => model)));
      }),
      { numRuns: 1000 },
    );
  });

  it('lets whiteouts hide lower layers only, wherever they stand in the tar', () => {
    const tree = merge([file('d/a'), file('d/b')], [file('d/c'), file('d/.wh.a', ''), file('d/.wh.c', '')]);
    expect(paths(tree)).toEqual(['/', '/d', '/d/b', '/d/c']);
  });

  it('replaces a file by a directory and the reverse', () => {
    const lower = [file('a'), directory('b'), file('b/x')];
    expect(paths(merge(lower, [file('a/y'), file('b')]))).toEqual(['/', '/a', '/a/y', '/b']);
  });

  it('replaces a symlink of a lower layer by the directory above it', () => {
    const tree = merge([directory('usr/lib'), symlink('lib', 'usr/lib'), file('usr/lib/a')], [file('lib/b')]);
    expect(paths(tree)).toEqual(['/', '/lib', '/lib/b', '/usr', '/usr/lib', '/usr/lib/a']);
  });

  it('shows nothing of what lies below a directory that a file once replaced', () => {
    const tree = merge([file('d/old')], [file('d')], [file('d/new')]);
    expect(paths(tree)).toEqual(['/', '/d', '/d/new']);
    expect(find(tree, 'd')?.attributes).toBeUndefined();
  });

  it('gives an implied directory the attributes of the lower one, also where an opaque one hides its content', () => {
    const lower = [directory('d', { mode: 0o700, uid: 5 }), file('d/a')];
    const tree = merge(lower, [file('d/.wh..wh..opq', ''), file('d/b')]);
    expect([...formatMergedTree(tree)][1]).toBe('directory 0700 5:0 0.000000000 /d inode=4');
    expect(paths(tree)).toEqual(['/', '/d', '/d/b']);
  });

  it('resolves a hard link in the layers below its own, through their symlinks', () => {
    const tree = merge(
      [file('usr/bin/dash', 'sh'), symlink('bin', 'usr/bin')],
      [
        hardlink('x', 'bin/dash'),
        hardlink('gone', 'nowhere'),
        hardlink('dir', 'usr'),
        file('usr/bin/dash', 'new'),
      ],
    );
    expect(find(tree, 'gone')).toBeUndefined();
    expect(find(tree, 'dir')).toBeUndefined();
    expect(find(tree, 'x')?.layer).toBe(0);
    expect(find(tree, 'usr/bin/dash')?.layer).toBe(1);
  });

  it('numbers the root 1, every inode once and hard links alike, whatever lies above', () => {
    const layers: Member[][] = [[file('a', '1'), hardlink('b', 'a')], [file('c', '2')]];
    const tree = merge(...layers, [file('d', '3'), hardlink('e', 'a')]);
    const inodes = ['', 'a', 'b', 'c', 'd', 'e'].map((path) => tree.inode(find(tree, path) as MergedNode));
    expect(inodes).toEqual([1, 2, 2, 4, 5, 2]);
    expect(merge(...layers).inode(find(tree, 'c') as MergedNode)).toBe(4);
  });

  it('finds layer and entry of an inode again, also past layers without entries', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), (counts) => {
        const tree = merge(
          ...counts.map((count, layer) => names(count).map((name) => file(`${name}${layer}`))),
        );
        const seen = new Set<number>();
        for (const [layer, index] of tree.indexes.entries()) {
          for (let entry = 1; entry < index.entryCount; entry++) {
            const inode = tree.inode({ layer, entry });
            seen.add(inode);
            expect(tree.layerOf(inode)).toBe(layer);
            expect(tree.entryOf(inode, layer)).toBe(entry);
          }
        }
        expect(tree.layerOf(1)).toBe(tree.root.layer);
        expect(tree.entryOf(1, tree.root.layer)).toBe(0);
        const strange = [-1, 0, 1.5, Number.NaN, seen.size + 2, 2 ** 40];
        for (const inode of strange.filter((each) => !seen.has(Math.floor(each))))
          expect(tree.layerOf(inode)).toBe(-1);
      }),
    );
  });

  it('answers where every symlink on the way is itself a hard link to a lower one, layer upon layer', () => {
    const names = Array.from({ length: 20 }, (_, i) => `l${i}`);
    const way = names.join('/');
    const layers: Member[][] = [[...names.map((name) => symlink(`k0/${name}`, '.')), file('k0/f', 'x')]];
    for (let i = 1; i < 16; i++) {
      const links = [...names, 'f'].map((name) => hardlink(`k${i}/${name}`, `k${i - 1}/${way}/${name}`));
      layers.push(links);
    }
    const tree = merge(...layers);
    expect(find(tree, 'k15/f')).toMatchObject({ kind: 'file', layer: 0 });
    expect(find(tree, 'k15/l3')).toMatchObject({ kind: 'symlink', layer: 0 });
  });
});
