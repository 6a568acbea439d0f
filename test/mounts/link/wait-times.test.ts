import fc from 'fast-check';
import { createWaitTimes } from '../../../src/mounts/link/wait-times.ts';

describe('wait times', () => {
  it('have percentiles of the last 512: values that were measured', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { minLength: 1, maxLength: 1500 }), (values) => {
        const times = createWaitTimes();
        for (const value of values) times.add(value);
        const sorted = values.slice(-512).sort((a, b) => a - b);
        expect(times.percentile(0)).toBe(sorted[0]);
        expect(times.percentile(1)).toBe(sorted.at(-1));
        const median = times.percentile(0.5);
        expect(sorted.filter((value) => value <= median).length).toBeGreaterThanOrEqual(sorted.length / 2);
        expect(sorted.filter((value) => value < median).length).toBeLessThan(sorted.length / 2);
      }),
    );
  });

  it('are 0 before the first', () => {
    expect(createWaitTimes().percentile(0.99)).toBe(0);
  });
});
