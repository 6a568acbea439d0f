import fc from 'fast-check';
import { mergeProfiles } from '../../../src/image/profile/merge-profiles.ts';
import { type LeafRange, PROFILE_LIMITS } from '../../../src/image/profile/start-up-profile.ts';

const range = (layer: number, object: number, first = 0, end = first + 1): LeafRange => ({
  layer,
  object,
  first,
  end,
});
const someRange = fc
  .tuple(fc.nat(2), fc.nat(5), fc.nat(6), fc.integer({ min: 1, max: 4 }))
  .map(([layer, object, first, count]) => range(layer, object, first, first + count));
const someRuns = fc.array(fc.array(someRange, { maxLength: 20 }), { maxLength: 4 });

const leavesOf = (ranges: readonly LeafRange[]): string[] =>
  ranges.flatMap(({ layer, object, first, end }) =>
    Array.from({ length: end - first }, (_, i) => `${layer}/${object}/${first + i}`),
  );

describe('merged runs', () => {
  it('hold each leaf of any run once, and no other', () => {
    fc.assert(
      fc.property(someRuns, (runs) => {
        const merged = leavesOf(mergeProfiles(runs));
        expect(new Set(merged).size).toBe(merged.length);
        expect([...merged].sort()).toEqual([...new Set(runs.flatMap(leavesOf))].sort());
      }),
    );
  });

  it('are in the order of the average place, whatever the order of the runs', () => {
    fc.assert(
      fc.property(someRuns, (runs) => {
        const merged = mergeProfiles(runs);
        expect(mergeProfiles([...runs].reverse())).toEqual(merged);
        const orders = runs.map((run) => [...new Set(leavesOf(run))]);
        const place = (leaf: string): number => {
          const places = orders.map((order) => order.indexOf(leaf)).filter((at) => at >= 0);
          return places.reduce((sum, at) => sum + at, 0) / places.length;
        };
        const places = leavesOf(merged).map(place);
        expect(places).toEqual([...places].sort((a, b) => a - b));
      }),
    );
  });

  it('of one run are that run, neighbours joined and repetitions left out', () => {
    const run = [range(1, 4), range(0, 2, 0, 2), range(0, 2, 2, 3), range(1, 4), range(0, 3)];
    expect(mergeProfiles([run])).toEqual([range(1, 4), range(0, 2, 0, 3), range(0, 3)]);
    expect(mergeProfiles([])).toEqual([]);
  });

  it('stop at the limit, with the first ones', () => {
    const run = Array.from({ length: PROFILE_LIMITS.ranges * 2 }, (_, i) => range(0, i * 2));
    expect(mergeProfiles([run])).toEqual(run.slice(0, PROFILE_LIMITS.ranges));
  });
});
