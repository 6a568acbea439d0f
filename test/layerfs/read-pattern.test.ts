import fc from 'fast-check';
import { MAX_AHEAD, newReadPattern, noteRead } from '../../src/layerfs/read-pattern.ts';

/** What is wanted ahead of each read. */
function ahead(
  reads: readonly (readonly [number, number])[],
  leaves: number,
): (readonly [number, number] | undefined)[] {
  const pattern = newReadPattern();
  return reads.map(([first, end]) =>
    noteRead(pattern, first, end, leaves) ? [pattern.from, pattern.wanted] : undefined,
  );
}
const inOrder = (count: number) => [...Array(count).keys()].map((leaf) => [leaf, leaf + 1] as const);

describe('the pattern of a reader', () => {
  it('wants twice as much ahead with each leaf read in order, up to the bound', () => {
    expect(ahead(inOrder(8), 1000)).toEqual([
      undefined,
      [2, 3],
      [3, 5],
      [5, 8],
      [8, 13],
      [13, 22],
      undefined,
      undefined,
    ]);
    const wanted = ahead(inOrder(900), 1000).filter((range) => range !== undefined);
    expect(Math.max(...wanted.map(([from, to]) => to - from))).toBeLessThanOrEqual(MAX_AHEAD);
    // By halves of the bound: not a want a leaf.
    expect(wanted.length).toBeLessThan(130);
  });

  it('wants nothing for a head alone, a jump, or the same leaf again', () => {
    expect(
      ahead(
        [
          [0, 1],
          [0, 1],
          [50, 51],
          [7, 8],
          [90, 92],
          [3, 4],
        ],
        100,
      ),
    ).toEqual(Array(6).fill(undefined));
  });

  it('takes reads of less than a leaf and a little out of order for one order', () => {
    const reads = [
      [0, 1],
      [0, 1],
      [1, 2],
      [0, 2],
      [1, 2],
      [2, 3],
    ] as const;
    expect(ahead(reads, 100)).toEqual([undefined, undefined, [2, 3], undefined, undefined, [3, 5]]);
  });

  it('begins anew after a jump', () => {
    expect(
      ahead(
        [
          [0, 1],
          [1, 2],
          [40, 41],
          [41, 42],
        ],
        100,
      ),
    ).toEqual([undefined, [2, 3], undefined, [42, 43]]);
  });

  it('never wants what was read or wanted, nor past the end', () => {
    const read = fc.tuple(fc.nat(29), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(fc.array(read, { maxLength: 60 }), (reads) => {
        const pattern = newReadPattern();
        let wanted = 0;
        for (const [first, length] of reads) {
          const end = Math.min(30, first + length);
          const more = noteRead(pattern, first, end, 30);
          if (pattern.ahead === 0) wanted = 0;
          if (!more) continue;
          expect(pattern.from).toBeGreaterThanOrEqual(Math.max(end, wanted));
          expect(pattern.wanted).toBeGreaterThan(pattern.from);
          expect(pattern.wanted).toBeLessThanOrEqual(30);
          expect(pattern.wanted - end).toBeLessThanOrEqual(MAX_AHEAD);
          wanted = pattern.wanted;
        }
      }),
    );
  });
});
