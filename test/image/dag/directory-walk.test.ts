import fc from 'fast-check';
import type { CID } from 'multiformats/cid';
import { sha256 } from '../../../src/base/digest.ts';
import type { DagBlock } from '../../../src/image/dag/dag-block.ts';
import { encodeDagPb } from '../../../src/image/dag/dag-pb.ts';
import { directoryDag, type NamedLink } from '../../../src/image/dag/directory-dag.ts';
import { directoryLinks, lookupLink, runWalk } from '../../../src/image/dag/directory-walk.ts';
import { dagPbCid, rawCid } from '../../../src/image/dag/file-dag.ts';
import { namePlaces, placeLabel, shardBitField, shardLinks } from '../../../src/image/dag/hamt-shard.ts';
import { encodeShardData } from '../../../src/image/dag/unixfs-data.ts';

const leaf = rawCid(sha256(Buffer.from('leaf')));

function links(names: readonly string[]): NamedLink[] {
  return names.map((name, i) => ({ name, cid: rawCid(sha256(Buffer.from(name))), tsize: i }));
}

function getFrom(blocks: readonly DagBlock[]): (cid: CID) => Uint8Array | undefined {
  const byCid = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]));
  return (cid) => byCid.get(cid.toString());
}

function sharded(some: readonly NamedLink[]): { root: CID; blocks: DagBlock[] } {
  const blocks: DagBlock[] = [];
  const { block } = shardLinks(
    some.map(({ name, cid, tsize }) => ({ name: Buffer.from(name), cid: cid.bytes, tsize })),
    blocks,
  );
  return { root: block.cid, blocks };
}

/** A shard of these links as they stand, valid by itself. */
function shardBlock(entries: readonly { name: string; cid: CID }[]): DagBlock {
  const places = entries.map(({ name }) => Number.parseInt(name.slice(0, 2), 16));
  const bytes = encodeDagPb(
    entries.map(({ name, cid }) => ({ name: Buffer.from(name), cid: cid.bytes, tsize: 1 })),
    encodeShardData(shardBitField(places)),
  );
  return { cid: dagPbCid(sha256(bytes)), bytes };
}

const names = fc.uniqueArray(
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => !text.includes('/') && !/^\.\.?$/.test(text)),
  { maxLength: 400 },
);

describe('a walk over a directory', () => {
  it('lists and finds every name, flat and sharded', () => {
    fc.assert(
      fc.property(names, fc.string(), (some, other) => {
        const all = links(some);
        const flat = directoryDag(all);
        for (const { root, blocks } of [{ root: flat.cid, blocks: [...flat.blocks] }, sharded(all)]) {
          const get = getFrom(blocks);
          const listed = runWalk(directoryLinks(root), get);
          expect(listed.map(({ name }) => name)).toEqual(
            some.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
          );
          for (const link of all.slice(0, 20)) {
            expect(lookupLink(root, link.name, get)).toEqual({ kind: 'found', link });
          }
          if (!some.includes(other)) expect(lookupLink(root, other, get)).toEqual({ kind: 'absent' });
        }
      }),
      { numRuns: 100 },
    );
  });

  it('asks for the blocks it misses, one level at a time', () => {
    const all = links(Array.from({ length: 2000 }, (_, i) => `name-${i}`));
    const { root, blocks } = sharded(all);
    const whole = getFrom(blocks);
    const here = new Map<string, Uint8Array>();
    const get = (cid: CID) => here.get(cid.toString());
    let fetched = 0;
    let answer = lookupLink(root, 'name-77', get);
    for (; answer.kind === 'needs-block'; answer = lookupLink(root, 'name-77', get)) {
      here.set(answer.cid.toString(), whole(answer.cid)!);
      fetched++;
    }
    expect(answer.kind).toBe('found');
    expect(fetched).toBeLessThanOrEqual(3);
    expect(() => runWalk(directoryLinks(root), get)).toThrow(
      expect.objectContaining({ kind: 'not-found', code: 'no-block', fields: { block: expect.any(String) } }),
    );
  });

  it('stops at its limit', () => {
    const dag = directoryDag(links(['a', 'b', 'c']));
    expect(() => runWalk(directoryLinks(dag.cid, { maxLinks: 2 }), getFrom(dag.blocks))).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'too-many-links' }),
    );
  });

  it('refuses what is no directory', () => {
    const get = () => Buffer.from('leaf');
    expect(() => lookupLink(leaf, 'a', get)).toThrow(expect.objectContaining({ code: 'not-a-directory' }));
    expect(() => runWalk(directoryLinks(leaf), get)).toThrow(
      expect.objectContaining({ code: 'not-a-directory' }),
    );
  });

  const badNode = expect.objectContaining({ kind: 'corrupt', code: 'bad-node' });

  it('refuses a name in a shard where its hash does not lead', () => {
    const place = (namePlaces(Buffer.from('a')).at(0) + 1) % 256;
    const block = shardBlock([{ name: `${placeLabel(place)}a`, cid: leaf }]);
    expect(() => runWalk(directoryLinks(block.cid), getFrom([block]))).toThrow(badNode);
    expect(lookupLink(block.cid, 'a', getFrom([block]))).toEqual({ kind: 'absent' });
  });

  it('refuses shards that share a child: a small block that would unfold without end', () => {
    let child: { name: string; cid: CID } = {
      name: `${placeLabel(namePlaces(Buffer.from('a')).at(1))}a`,
      cid: leaf,
    };
    const blocks: DagBlock[] = [];
    for (let level = 0; level < 20; level++) {
      const block =
        level === 0
          ? shardBlock([child])
          : shardBlock(
              Array.from({ length: 256 }, (_, place) => ({ name: placeLabel(place), cid: child.cid })),
            );
      blocks.push(block);
      child = { name: '', cid: block.cid };
    }
    expect(() => runWalk(directoryLinks(child.cid), getFrom(blocks))).toThrow(badNode);
  });

  it('refuses shards deeper than a look-up goes, and empty ones', () => {
    const empty = shardBlock([]);
    const blocks = [empty];
    let cid = empty.cid;
    for (let level = 0; level < 40; level++) {
      const block = shardBlock([{ name: placeLabel(namePlaces(Buffer.from('a')).at(39 - level)), cid }]);
      blocks.push(block);
      cid = block.cid;
    }
    expect(() => lookupLink(cid, 'a', getFrom(blocks))).toThrow(badNode);
    expect(() => runWalk(directoryLinks(cid), getFrom(blocks))).toThrow(badNode);
    const over = shardBlock([{ name: '00', cid: empty.cid }]);
    expect(() => runWalk(directoryLinks(over.cid), getFrom([over, empty]))).toThrow(badNode);
    expect(runWalk(directoryLinks(empty.cid), getFrom([empty]))).toEqual([]);
  });

  it('refuses a plain directory or a file where a shard belongs', () => {
    const plain = directoryDag(links(['a']));
    const place = namePlaces(Buffer.from('a')).at(0);
    for (const below of [plain.cid, leaf]) {
      const over = shardBlock([{ name: placeLabel(place), cid: below }]);
      const get = (cid: CID) =>
        cid.equals(leaf) ? Buffer.from('leaf') : getFrom([over, ...plain.blocks])(cid);
      expect(() => lookupLink(over.cid, 'a', get)).toThrow(badNode);
      expect(() => runWalk(directoryLinks(over.cid), get)).toThrow(badNode);
    }
  });

  it('refuses a directory that holds a name twice', () => {
    const one = { name: Buffer.from('a'), cid: leaf.bytes, tsize: 1 };
    const bytes = encodeDagPb([one, one], Uint8Array.of(8, 1));
    const cid = dagPbCid(sha256(bytes));
    expect(() => runWalk(directoryLinks(cid), () => bytes)).toThrow(badNode);
  });
});
