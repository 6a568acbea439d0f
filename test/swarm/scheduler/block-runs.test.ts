import fc from 'fast-check';
import { BlockRuns, type RunView } from '../../../src/swarm/scheduler/block-runs.ts';

const everything: RunView = { has: () => true, even: true, holders: () => 1 };

describe('runs of wanted blocks', () => {
  it('hand out each block exactly once, whoever takes, gives back and finishes', () => {
    const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.integer({ min: 1, max: 3_000_000 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 900 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        steps,
        (count, first, all) => {
          const runs = new BlockRuns(count, (position) => (position % 7) * 40_000, first);
          const takers = [{}, {}, {}, {}];
          const out: number[] = [];
          const done = new Set<number>();
          for (const [who, what, budget] of all) {
            if (what === 3 && out.length > 0) runs.release(out.shift()!);
            else if (what === 2 && out.length > 0) {
              const position = out.shift()!;
              runs.finish(position);
              done.add(position);
            } else {
              for (const position of runs.take(takers[who]!, everything, budget, 100)) {
                expect(runs.isUnasked(position)).toBe(true);
                runs.ask(position);
                out.push(position);
              }
            }
            expect(runs.unasked).toBe(count - out.length - done.size);
            expect(runs.done).toBe(done.size);
          }
          expect([...runs.pending()].length).toBe(runs.unasked);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keep a peer to its run, and give another one to the next peer', () => {
    const runs = new BlockRuns(400, () => 65_536, 0);
    const one = {};
    const two = {};
    const a = runs.take(one, everything, 300_000, 100);
    for (const position of a) runs.ask(position);
    const b = runs.take(two, everything, 300_000, 100);
    for (const position of b) runs.ask(position);
    expect(b[0]).toBe(16);
    expect(runs.take(one, everything, 300_000, 100)[0]).toBe(a.length);
  });

  it('take the rarest first, and only what the peer has', () => {
    const runs = new BlockRuns(160, () => 65_536, 0);
    const view: RunView = {
      even: false,
      has: (position) => position >= 64,
      holders: (position) => (position >= 96 && position < 112 ? 1 : 3),
    };
    const taken = runs.take({}, view, 10_000_000, 100);
    expect(taken[0]).toBe(96);
    expect(taken.length).toBe(16);
    expect(runs.take({}, { ...view, has: () => false }, 10_000_000, 100)).toEqual([]);
  });

  it('begin where they are told while others pull too, in the wanted order where all have everything', () => {
    const shared: RunView = { has: () => true, even: false, holders: () => 1 };
    expect(new BlockRuns(160, () => 65_536, 0.5).take({}, shared, 1, 1)).toEqual([80]);
    expect(new BlockRuns(160, () => 65_536, 0.5).take({}, everything, 1, 1)).toEqual([0]);
  });

  it('take a block larger than the budget rather than none', () => {
    const runs = new BlockRuns(2, () => 262_144, 0);
    expect(runs.take({}, everything, 1000, 10)).toEqual([0]);
  });
});
