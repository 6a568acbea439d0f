import fc from 'fast-check';
import { addedRuns, hasBit, setBit, setRuns } from '../../../src/swarm/lanes/bit-runs.ts';

const pair = fc
  .array(fc.tuple(fc.nat(255), fc.nat(255)), { maxLength: 60 })
  .map((bytes) => [Uint8Array.from(bytes, ([a]) => a), Uint8Array.from(bytes, ([a, b]) => a | b)] as const);

describe('runs of added bits', () => {
  it('turn the bitmap before into the bitmap now', () => {
    fc.assert(
      fc.property(pair, ([before, now]) => {
        const runs = addedRuns(before, now, 10_000);
        const made = before.slice();
        setRuns(made, runs!);
        expect(made).toEqual(now);
      }),
    );
  });

  it('join neighbours over the ends of bytes', () => {
    const now = new Uint8Array(4);
    for (let bit = 5; bit < 29; bit++) setBit(now, bit);
    expect(addedRuns(new Uint8Array(4), now, 10)).toEqual([5, 24]);
  });

  it('are none where a bit went, or where there would be too many', () => {
    expect(addedRuns(Uint8Array.of(3), Uint8Array.of(2), 10)).toBeUndefined();
    expect(addedRuns(new Uint8Array(4), new Uint8Array(4).fill(0b01010101), 4)).toBeUndefined();
  });

  it('set nothing beyond the end of the bitmap', () => {
    const bitmap = new Uint8Array(2);
    setRuns(bitmap, [14, 1000]);
    expect([...bitmap]).toEqual([0, 0b11000000]);
    expect(hasBit(bitmap, 14)).toBe(true);
    expect(hasBit(bitmap, 5000)).toBe(false);
  });
});
