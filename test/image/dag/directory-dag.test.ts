import { readFileSync } from 'node:fs';
import { encode, prepare } from '@ipld/dag-pb';
import fc from 'fast-check';
import { UnixFS } from 'ipfs-unixfs';
import type { DagBlock } from '../../../src/image/dag/dag-block.ts';
import { encodeDagPb } from '../../../src/image/dag/dag-pb.ts';
import { directoryDag, type NamedLink, symlinkBlock } from '../../../src/image/dag/directory-dag.ts';
import { createFileHasher } from '../../../src/image/dag/file-hasher.ts';
import { shardLinks } from '../../../src/image/dag/hamt-shard.ts';
import { importWithReference } from './reference-importer.ts';

const golden = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../golden/dag/${name}`, import.meta.url), 'utf8')) as T;

/** A file whose content is its own name. */
function fileNamed(name: string): NamedLink {
  const hasher = createFileHasher();
  hasher.update(Buffer.from(name));
  const { cid, dag } = hasher.finish();
  return { name, cid, tsize: dag.tsize };
}

function reference(names: readonly string[], shardThreshold?: number) {
  const candidates = names.map((name) => ({ path: name, content: Buffer.from(name) }));
  return importWithReference(candidates, {
    wrap: true,
    ...(shardThreshold === undefined ? {} : { shardThreshold }),
  });
}

/** Blocks of a directory as the importer puts them: by CID, once each. */
function byCid(blocks: readonly DagBlock[]): Map<string, Buffer> {
  return new Map(blocks.map(({ cid, bytes }) => [cid.toString(), Buffer.from(bytes)]));
}

function buffers(inner: ReadonlyMap<string, Uint8Array>): Map<string, Buffer> {
  return new Map([...inner].map(([cid, bytes]) => [cid, Buffer.from(bytes)]));
}

// `/` parts names, and the importer takes a backslash before it as an escape.
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => !/[/\\]/.test(text) && text !== '.' && text !== '..' && text.isWellFormed());
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 300 });

interface GoldenDirectory {
  readonly names: number;
  readonly cid: string;
  readonly tsize: number;
  readonly blocks: number;
}

describe('a directory', () => {
  it.each(golden<GoldenDirectory[]>('directories.json'))('of $names names is $cid', async (expected) => {
    const all = Array.from({ length: expected.names }, (_, i) => `file-${String(i).padStart(6, '0')}.txt`);
    const ours = directoryDag(all.toReversed().map(fileNamed));
    expect({
      names: all.length,
      cid: ours.cid.toString(),
      tsize: ours.tsize,
      blocks: ours.blocks.length,
    }).toEqual(expected);
    const { root, blocks } = await reference(all);
    expect(root.cid.toString()).toBe(expected.cid);
    expect(Number(root.size)).toBe(expected.tsize);
    expect(byCid(ours.blocks)).toEqual(buffers(blocks.inner));
  });

  it('is what the importer makes of any names, flat', async () => {
    await fc.assert(
      fc.asyncProperty(names, async (some) => {
        const ours = directoryDag(some.map(fileNamed));
        const { root, blocks } = await reference(some);
        expect(ours.cid.toString()).toBe(root.cid.toString());
        expect(ours.tsize).toBe(Number(root.size));
        expect(byCid(ours.blocks)).toEqual(buffers(blocks.inner));
      }),
      { numRuns: 60 },
    );
  });

  it('is what the importer makes of any names, sharded', async () => {
    await fc.assert(
      fc.asyncProperty(names, async (some) => {
        const blocks: DagBlock[] = [];
        const links = some
          .map(fileNamed)
          .map((link) => ({ ...link, cid: link.cid.bytes, name: Buffer.from(link.name) }));
        const { block, tsize } = shardLinks(links, blocks);
        const imported = await reference(some, 0);
        expect(block.cid.toString()).toBe(imported.root.cid.toString());
        expect(tsize).toBe(Number(imported.root.size));
        expect(byCid(blocks)).toEqual(buffers(imported.blocks.inner));
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 1])(
    'is sharded %i bytes above the threshold exactly when the importer does it',
    async (above) => {
      // 255-byte names count 255 + 36; the last one fills up to the threshold, in two-byte letters.
      const some = Array.from({ length: 900 }, (_, i) => `${String(i).padStart(3, '0')}${'ä'.repeat(126)}`);
      const rest = 262_144 + above - 900 * (255 + 36) - 36;
      some.push('x'.repeat(rest));
      const ours = directoryDag(some.map(fileNamed));
      const { root } = await reference(some);
      expect(ours.cid.toString()).toBe(root.cid.toString());
      expect(ours.blocks.length > 1).toBe(above > 0);
    },
  );

  it('goes on with further hashes where names share all 64 bits of the first, as the importer does', async () => {
    const { sameHash } = golden<{ sameHash: string[] }>('colliding-names.json');
    const some = [...sameHash, 'a', 'b'];
    const blocks: DagBlock[] = [];
    const links = some
      .map(fileNamed)
      .map((link) => ({ ...link, cid: link.cid.bytes, name: Buffer.from(link.name) }));
    const { block } = shardLinks(links, blocks);
    const imported = await reference(some, 0);
    expect(block.cid.toString()).toBe(imported.root.cid.toString());
    expect(blocks.length).toBeGreaterThanOrEqual(9);
  });

  it('refuses names that no further hash parts', () => {
    const { sameState } = golden<{ sameState: string[] }>('colliding-names.json');
    const links = [...sameState, 'z'.repeat(262_144)].map(fileNamed);
    expect(() => directoryDag(links)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'shard-too-deep' }),
    );
  });

  it('without links is the empty directory of every IPFS node', () => {
    expect(directoryDag([])).toMatchObject({ tsize: 4 });
    expect(directoryDag([]).cid.toString()).toBe(
      'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354',
    );
  });

  it('refuses a name twice', () => {
    const twice = [fileNamed('a'), fileNamed('b'), { ...fileNamed('x'), name: 'a' }];
    expect(() => directoryDag(twice)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'duplicate-name', fields: { name: 'a' } }),
    );
  });

  it.each(['', '.', '..', 'a/b', '/', 'half \ud800'])('refuses the name %j', (bad) => {
    expect(() => directoryDag([{ ...fileNamed('x'), name: bad }])).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'bad-name' }),
    );
  });

  it('orders names by their UTF-8 bytes, not by UTF-16', async () => {
    const some = ['\u{1F600}', '\uFFFD', 'z', 'é', 'e\u0301'];
    const ours = directoryDag(some.map(fileNamed));
    expect(ours.cid.toString()).toBe((await reference(some)).root.cid.toString());
  });
});

describe('a symlink', () => {
  it.each(['x', '../lib/ld.so', '/usr/share/naïve', 'a'.repeat(4096)])(
    'to %j is the block that UnixFS has for it',
    async (target) => {
      const data = new UnixFS({ type: 'symlink', data: Buffer.from(target) }).marshal();
      const ours = symlinkBlock(Buffer.from(target));
      expect(Buffer.from(ours.bytes)).toEqual(Buffer.from(encode(prepare({ Data: data, Links: [] }))));
      expect(ours.tsize).toBe(ours.bytes.length);
    },
  );

  it('keeps bytes that are no text', () => {
    const block = symlinkBlock(Uint8Array.of(0xff, 0x00, 0x80));
    expect(Buffer.from(block.bytes).includes(Buffer.of(0xff, 0x00, 0x80))).toBe(true);
  });
});

describe('dag-pb', () => {
  it('writes what @ipld/dag-pb writes, big Tsizes included', async () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        name,
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        (tsize, text, data) => {
          const { cid } = fileNamed('any');
          const theirs = encode(prepare({ Data: data, Links: [{ Hash: cid, Name: text, Tsize: tsize }] }));
          const ours = encodeDagPb([{ cid: cid.bytes, name: Buffer.from(text), tsize }], data);
          expect(Buffer.from(ours)).toEqual(Buffer.from(theirs));
        },
      ),
    );
  });
});
