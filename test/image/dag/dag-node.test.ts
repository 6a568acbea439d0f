import * as dagPb from '@ipld/dag-pb';
import fc from 'fast-check';
import { UnixFS } from 'ipfs-unixfs';
import { CID } from 'multiformats/cid';
import { create as multihash } from 'multiformats/hashes/digest';
import { sha256 } from '../../../src/base/digest.ts';
import { Fault } from '../../../src/base/fault.ts';
import { dagLinks, MAX_BLOCK_SIZE, readNode, verifyBlock } from '../../../src/image/dag/dag-node.ts';
import { directoryDag, symlinkBlock } from '../../../src/image/dag/directory-dag.ts';
import { dagPbCid, rawCid } from '../../../src/image/dag/file-dag.ts';
import { createFileHasher } from '../../../src/image/dag/file-hasher.ts';

const leaf = rawCid(sha256(Buffer.from('leaf')));
const badNode = expect.objectContaining({ kind: 'corrupt', code: 'bad-node' });

function block(bytes: Uint8Array) {
  return { cid: dagPbCid(sha256(bytes)), bytes };
}

function node(unixfs: UnixFS, links: dagPb.PBLink[] = []) {
  return block(dagPb.encode(dagPb.prepare({ Data: unixfs.marshal(), Links: links })));
}

describe('readNode', () => {
  it('reads a raw block', () => {
    const bytes = Buffer.from('leaf');
    expect(readNode(leaf, bytes)).toEqual({ kind: 'raw', links: [], data: bytes, size: 4, blockSizes: [] });
  });

  it('reads a file of several levels', () => {
    const hasher = createFileHasher();
    hasher.updateZeros(175 * 262_144 + 5);
    const { dag } = hasher.finish();
    const root = dag.nodes.at(-1)!;
    const read = readNode(root.cid, root.bytes);
    expect(read).toMatchObject({ kind: 'file', size: dag.size, blockSizes: [174 * 262_144, 262_144 + 5] });
    expect(read.links.map(({ cid }) => cid.toString())).toEqual(
      dag.nodes.slice(0, -1).map(({ cid }) => cid.toString()),
    );
    expect(dag.tsize).toBe(read.links.reduce((sum, { tsize }) => sum + tsize, root.bytes.length));
  });

  it('reads directories and symlinks', () => {
    const symlink = symlinkBlock(Buffer.from('../x'));
    expect(readNode(symlink.cid, symlink.bytes)).toMatchObject({
      kind: 'symlink',
      size: 4,
      data: Buffer.from('../x'),
    });
    const dag = directoryDag([{ name: 'ä', cid: symlink.cid, tsize: symlink.tsize }]);
    const [root] = dag.blocks;
    expect(readNode(root!.cid, root!.bytes)).toMatchObject({
      kind: 'directory',
      links: [{ name: 'ä', tsize: symlink.tsize }],
    });
    expect(dagLinks(root!.cid, root!.bytes)).toEqual([symlink.cid]);
  });

  it('reads what foreign nodes make: CIDv0 links, mode and mtime, bytes inside a file node', () => {
    const v0 = CID.createV0(multihash(0x12, sha256(Buffer.from('x'))));
    const foreign = node(new UnixFS({ type: 'directory', mode: 0o700, mtime: { secs: 5n, nsecs: 6 } }), [
      { Hash: v0, Name: 'old', Tsize: 3 },
    ]);
    expect(readNode(foreign.cid, foreign.bytes).links[0]?.cid.toString()).toBe(v0.toString());
    const inline = node(new UnixFS({ type: 'file', data: Buffer.from('abc') }));
    expect(readNode(inline.cid, inline.bytes)).toMatchObject({
      kind: 'file',
      size: 3,
      data: Buffer.from('abc'),
    });
  });

  const file = new UnixFS({ type: 'file', blockSizes: [4n] });
  const link = { Hash: leaf, Name: '', Tsize: 4 };
  const wrongSize = Buffer.from(file.marshal());
  wrongSize[3] = 9;
  const cases: [string, { cid: CID; bytes: Uint8Array }][] = [
    ['no bytes', block(new Uint8Array(0))],
    ['no UnixFS data', block(dagPb.encode({ Links: [] }))],
    ['data that is no UnixFS', block(dagPb.encode({ Data: Buffer.from('junk'), Links: [] }))],
    ['links without sizes', node(new UnixFS({ type: 'file' }), [link])],
    ['sizes without links', node(file)],
    ['a file size that is not its parts', block(dagPb.encode({ Data: wrongSize, Links: [link] }))],
    ['a symlink with links', node(new UnixFS({ type: 'symlink', data: Buffer.from('x') }), [link])],
    ['UnixFS metadata', node(new UnixFS({ type: 'metadata' }))],
    [
      'a shard of another hash',
      node(new UnixFS({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x12n })),
    ],
    [
      'a shard of another width',
      node(new UnixFS({ type: 'hamt-sharded-directory', fanout: 16n, hashType: 0x22n })),
    ],
    [
      'a shard whose bit field is not its links',
      node(
        new UnixFS({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n, data: Uint8Array.of(3) }),
        [{ ...link, Name: '00x' }],
      ),
    ],
    [
      'a shard link without a place',
      node(new UnixFS({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n }), [
        { ...link, Name: 'zz' },
      ]),
    ],
    [
      'a link of an identity CID',
      node(new UnixFS({ type: 'directory' }), [
        { Hash: CID.createV1(0x55, multihash(0, Buffer.from('hi'))), Name: 'a', Tsize: 1 },
      ]),
    ],
    [
      'a link of another codec',
      node(new UnixFS({ type: 'directory' }), [
        { Hash: CID.createV1(0x71, multihash(0x12, sha256(Buffer.from('x')))), Name: 'a', Tsize: 1 },
      ]),
    ],
    ['a block above the limit', { cid: leaf, bytes: new Uint8Array(MAX_BLOCK_SIZE + 1) }],
    ['a CID of another codec', { cid: CID.createV1(0x71, leaf.multihash), bytes: new Uint8Array(1) }],
    [
      'a CID of another hash',
      { cid: CID.createV1(0x55, multihash(0x13, new Uint8Array(64))), bytes: new Uint8Array(1) },
    ],
  ];
  it.each(cases)('refuses %s and names the block', (_title, { cid, bytes }) => {
    expect(() => readNode(cid, bytes)).toThrow(badNode);
    expect(() => readNode(cid, bytes)).toThrow(cid.toString());
  });

  it('refuses a link name that is not UTF-8', () => {
    const dag = directoryDag([{ name: 'abcd', cid: leaf, tsize: 4 }]);
    const bytes = Buffer.from(dag.blocks[0]!.bytes);
    bytes[bytes.indexOf('abcd')] = 0xff;
    expect(() => readNode(dagPbCid(sha256(bytes)), bytes)).toThrow(badNode);
  });

  it('throws nothing but corrupt/bad-node, whatever the bytes', () => {
    const seeds = [
      node(file, [link]).bytes,
      directoryDag([{ name: 'a', cid: leaf, tsize: 4 }]).blocks[0]!.bytes,
    ];
    const mutated = fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(200),
      )
      .map(([seed, changes, cut]) => {
        const bytes = Buffer.from(seed);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes.subarray(0, cut < 20 ? cut : bytes.length);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        const { cid } = block(bytes);
        try {
          readNode(cid, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
          expect(error).toEqual(badNode);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('verifyBlock', () => {
  it('takes the bytes that hash to the CID and no others', () => {
    verifyBlock(leaf, Buffer.from('leaf'));
    expect(() => verifyBlock(leaf, Buffer.from('leaF'))).toThrow(
      expect.objectContaining({
        kind: 'corrupt',
        code: 'block-mismatch',
        fields: { block: leaf.toString() },
      }),
    );
  });

  it('takes nothing under another hash function', () => {
    const cid = CID.createV1(0x55, multihash(0, Buffer.from('leaf')));
    expect(() => verifyBlock(cid, Buffer.from('leaf'))).toThrow(
      expect.objectContaining({ code: 'block-mismatch' }),
    );
  });
});
