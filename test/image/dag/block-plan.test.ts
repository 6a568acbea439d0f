import fc from 'fast-check';
import { sha256 } from '../../../src/base/digest.ts';
import { createBlockPlanBuilder } from '../../../src/image/dag/block-plan.ts';

const digest = (n: number) => sha256(Buffer.from(String(n)));

describe('the block plan builder', () => {
  it('keeps the first place of every block', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { maxLength: 6000 }), (numbers) => {
        const builder = createBlockPlanBuilder();
        const model = new Map<number, number>();
        for (const number of numbers) {
          const expected = model.get(number) ?? model.size;
          model.set(number, expected);
          expect(builder.add(digest(number), number)).toBe(expected);
        }
        const plan = builder.finish();
        expect(plan.count).toBe(model.size);
        expect(plan.digests).toHaveLength(model.size * 32);
        for (const [number, index] of model) {
          expect(builder.indexOf(digest(number))).toBe(index);
          expect(digest(number).equals(plan.digests.subarray(index * 32, index * 32 + 32))).toBe(true);
          expect(plan.sizes[index]).toBe(number);
        }
        expect(builder.indexOf(digest(-1))).toBe(-1);
      }),
      { numRuns: 15 },
    );
  });

  it('takes 200,000 blocks', () => {
    const builder = createBlockPlanBuilder();
    for (let n = 0; n < 200_000; n++) builder.add(digest(n), 262_144);
    for (let n = 0; n < 200_000; n += 997) expect(builder.indexOf(digest(n))).toBe(n);
    expect(builder.finish().count).toBe(200_000);
  });

  it('refuses more than its limit, but still knows what it holds', () => {
    const builder = createBlockPlanBuilder({ maxBlocks: 2 });
    builder.add(digest(1), 1);
    builder.add(digest(2), 2);
    expect(builder.add(digest(1), 1)).toBe(0);
    expect(() => builder.add(digest(3), 3)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'plan-too-big' }),
    );
  });

  it.each([
    [new Uint8Array(31), 5],
    [new Uint8Array(32), 262_145],
    [new Uint8Array(32), -1],
    [new Uint8Array(32), Number.NaN],
  ])('refuses a digest or size that no block has', (bytes, size) => {
    expect(() => createBlockPlanBuilder().add(bytes, size)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'bad-plan-block' }),
    );
  });

  it('refuses made-up digests that all begin alike', () => {
    const builder = createBlockPlanBuilder();
    const add = (n: number) => {
      const bytes = Buffer.alloc(32);
      bytes.writeUInt32LE(n, 28);
      builder.add(bytes, 1);
    };
    expect(() => {
      for (let n = 0; n < 2000; n++) add(n);
    }).toThrow(expect.objectContaining({ kind: 'corrupt', code: 'skewed-digests' }));
  });

  it('hands out a plan that later blocks do not change', () => {
    const builder = createBlockPlanBuilder();
    builder.add(digest(1), 1);
    const plan = builder.finish();
    builder.add(digest(2), 2);
    expect(plan.count).toBe(1);
    expect(plan.sizes).toHaveLength(1);
    expect(builder.finish().count).toBe(2);
  });
});
