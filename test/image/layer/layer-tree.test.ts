import { decode } from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { createBlockPlanBuilder } from '../../../src/image/dag/block-plan.ts';
import { fileDag, rawCid } from '../../../src/image/dag/file-dag.ts';
import { escapeBytes, unescapeBytes } from '../../../src/image/layer/byte-text.ts';
import { decodeLayerIndex, encodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import { addLayerToPlan } from '../../../src/image/layer/layer-plan.ts';
import { layerTree } from '../../../src/image/layer/layer-tree.ts';
import { GOLDEN_MEMBERS } from './golden-layer.ts';
import { draftOf, file, hardlink, type Member, objectOf, symlink } from './tar-entries.ts';

const indexOf = (members: readonly Member[]) => decodeLayerIndex(encodeLayerIndex(draftOf(members)));

/** `path -> cid` of everything in a tree, read by the reference decoders. */
function listing(members: readonly Member[]): Record<string, string> {
  const tree = layerTree(indexOf(members));
  const blocks = new Map(tree.blocks.map(({ cid, bytes }) => [cid.toString(), bytes]));
  const found: Record<string, string> = {};
  const walk = (path: string, cid: CID): void => {
    const bytes = blocks.get(cid.toString());
    if (bytes === undefined) {
      found[path] = cid.toString();
      return;
    }
    const node = decode(bytes);
    const data = UnixFS.unmarshal(node.Data as Uint8Array);
    found[path] = data.type === 'symlink' ? `-> ${Buffer.from(data.data as Uint8Array)}` : data.type;
    for (const link of node.Links) walk(`${path}/${link.Name}`, link.Hash);
  };
  walk('', tree.cid);
  expect(tree.blocks.at(-1)?.cid.equals(tree.cid)).toBe(true);
  return found;
}

describe('layer tree', () => {
  it('has directories, symlinks and files by the CID of their content, hard links too, and nothing else', () => {
    const elf = rawCid(objectOf('ELF').hash).toString();
    const tree = listing(GOLDEN_MEMBERS);
    const big = indexOf(GOLDEN_MEMBERS);
    expect(tree['/usr/bin/ping']).toBe(tree['/usr/bin/ping6']);
    expect(tree['/usr/bin/ping']).toBe(elf);
    expect(tree['/big']).toBe(big.objectCid(1).toString());
    expect(tree['/bin']).toBe('-> usr/bin');
    expect(tree['/opt']).toBe('directory');
    expect(Object.keys(tree).sort()).toEqual([
      '',
      '/100%25 é: \u0007',
      '/big',
      '/bin',
      '/dev',
      '/empty',
      '/etc',
      '/etc/hosts',
      '/opt',
      '/run',
      '/srv',
      '/usr',
      '/usr/bin',
      '/usr/bin/ping',
      '/usr/bin/ping6',
      '/var',
      '/var/cache',
    ]);
  });

  it('has a golden root', () => {
    expect(layerTree(indexOf(GOLDEN_MEMBERS)).cid.toString()).toBe(
      'bafybeif3433wxeivfwfhshhnxpoduesns4ibpthzsboz3zcainluye5lhq',
    );
    expect(layerTree(indexOf([])).cid.toString()).toBe(
      'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354',
    );
  });

  it('counts each object with its inner nodes, each time it is linked', () => {
    const content = 'x'.repeat(600_000);
    const { leaves } = objectOf(content);
    const one = layerTree(indexOf([file('a', content)]));
    const both = layerTree(indexOf([file('a', content), hardlink('b', 'a')]));
    const { tsize } = fileDag(600_000, leaves as Uint8Array);
    expect(one.tsize).toBe(tsize + (one.blocks[0]?.bytes.length as number));
    expect(both.tsize).toBe(2 * tsize + (both.blocks[0]?.bytes.length as number));
  });

  it('gives a symlink of several names one block', () => {
    const tree = layerTree(indexOf([symlink('a', 'x'), hardlink('b', 'a')]));
    expect(tree.blocks).toHaveLength(2);
  });

  it.each([
    ['plain é', Buffer.from('plain é')],
    ['50%25', Buffer.from('50%')],
    ['a%FFb', Buffer.from([0x61, 0xff, 0x62])],
    ['%C3', Buffer.from([0xc3])],
    ['%C3(é', Buffer.from([0xc3, 0x28, 0xc3, 0xa9])],
    ['%ED%A0%80', Buffer.from([0xed, 0xa0, 0x80])],
    ['\ufeffx', Buffer.from([0xef, 0xbb, 0xbf, 0x78])],
    ['%F0%9F%98😀', Buffer.from([0xf0, 0x9f, 0x98, 0xf0, 0x9f, 0x98, 0x80])],
  ])('writes the name %s so that no two names are one', (text, bytes) => {
    expect(escapeBytes(bytes)).toBe(text);
    expect(unescapeBytes(text)).toEqual(bytes);
  });
});

describe('layer plan', () => {
  it('lists leaves of objects in index order, then the recipe, each block once', () => {
    const index = indexOf(GOLDEN_MEMBERS);
    const builder = createBlockPlanBuilder();
    const recipe = objectOf('y'.repeat(300_000));
    addLayerToPlan(builder, index, recipe.leaves as Uint8Array, recipe.size);
    const { count, sizes, digests } = builder.finish();
    expect([...sizes]).toEqual([3, 262_144, 75_712, 0, 20, 262_144, 37_856]);
    expect(count).toBe(7);
    expect(Buffer.from(digests.subarray(0, 32))).toEqual(Buffer.from(objectOf('ELF').hash));
    addLayerToPlan(builder, index, recipe.leaves as Uint8Array, recipe.size);
    expect(builder.finish().count).toBe(7);
  });
});
