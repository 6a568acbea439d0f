import fc from 'fast-check';
import { runPairs, sample } from '../../scripts/benchmarks/sampling.ts';
import { median, medianInterval } from '../../scripts/benchmarks/statistics.ts';
import { judge } from '../../scripts/benchmarks/target.ts';

const settings = { least: 7, most: 25 };

/** A source of values that repeats its list. */
function values(...list: readonly number[]): () => Promise<number> {
  let at = 0;
  return async () => list[at++ % list.length]!;
}

describe('the median and its interval', () => {
  it('takes the middle, and the mean of two middles', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it.each([
    // The ranks of tables of the sign test for 90 %, two-sided.
    [5, 1],
    [7, 1],
    [8, 2],
    [10, 2],
    [11, 3],
    [12, 3],
    [13, 4],
    [20, 6],
    [25, 8],
  ])('lies for %d samples between the %d. from either end', (count, rank) => {
    const samples = Array.from({ length: count }, (_, at) => at + 1);
    expect(medianInterval(samples)).toEqual([rank, count + 1 - rank]);
  });

  it('always holds the median and never leaves the samples', () => {
    const samples = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), {
      minLength: 5,
      maxLength: 40,
    });
    fc.assert(
      fc.property(samples, (list) => {
        const [low, high] = medianInterval(list);
        expect(low).toBeLessThanOrEqual(median(list));
        expect(high).toBeGreaterThanOrEqual(median(list));
        expect(list).toContain(low);
        expect(list).toContain(high);
      }),
    );
  });

  it('refuses to guess from too few', () => {
    expect(() => medianInterval([1, 2, 3, 4])).toThrow(RangeError);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('a verdict', () => {
  it.each([
    [[0.8, 0.9], { atMost: 1 }, 'met'],
    [[0.9, 1], { atMost: 1 }, 'met'],
    [[0.9, 1.1], { atMost: 1 }, 'undecided'],
    [[1, 1.1], { atMost: 1 }, 'undecided'],
    [[1.1, 1.2], { atMost: 1 }, 'missed'],
    [[1, 1], { atMost: 1 }, 'met'],
    [[2.6, 2.9], { atLeast: 2.5 }, 'met'],
    [[2.4, 2.9], { atLeast: 2.5 }, 'undecided'],
    [[2.1, 2.4], { atLeast: 2.5 }, 'missed'],
  ] as const)('of %j against %j is %s', (interval, target, verdict) => {
    expect(judge(interval, target)).toBe(verdict);
  });
});

describe('sampling', () => {
  it('stops at the least number when that decides', async () => {
    const sampled = await sample(values(10, 11, 12), { atMost: 20 }, settings);
    expect(sampled.samples).toHaveLength(7);
    expect(sampled.verdict).toBe('met');
  });

  it('goes on while the target lies in the interval, and says so at the bound', async () => {
    const sampled = await sample(values(0.9, 1.1), { atMost: 1 }, settings);
    expect(sampled.samples).toHaveLength(25);
    expect(sampled.verdict).toBe('undecided');
  });

  it('takes pairs in turn and judges their ratios, not the ratio of medians', async () => {
    const order: string[] = [];
    // The machine gets slower from pair to pair: each ratio is 0.5 all the same.
    let [a, b] = [0, 0];
    const pairs = await runPairs(
      async () => {
        order.push('a');
        return ++a;
      },
      async () => {
        order.push('b');
        return 2 * ++b;
      },
      { atMost: 1 },
      settings,
    );
    expect(order.join('')).toBe('abbaabbaabbaab');
    expect(pairs).toMatchObject({ median: 0.5, interval: [0.5, 0.5], verdict: 'met', a: 4, b: 8 });
  });
});
