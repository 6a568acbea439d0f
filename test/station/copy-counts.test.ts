import { createCopyCounts } from '../../src/station/copy-counts.ts';
import type { ImageRecord } from '../../src/store/image-records.ts';
import type { HeldImage } from '../../src/swarm/image-query.ts';
import { testImage } from '../store/store-fixture.ts';

const recordOf = (number: number, options: Partial<ImageRecord> = {}): ImageRecord =>
  testImage([Buffer.from(`image ${number}`)], { shared: true, ...options }).record;

function counting(answer: (image: HeldImage) => readonly string[] | Promise<readonly string[]>) {
  let now = 0;
  const asked: string[] = [];
  const counts = createCopyCounts(
    {
      async holders(image) {
        asked.push(image.root);
        return answer(image);
      },
    },
    { now: () => now, monotonic: () => now },
  );
  return {
    counts,
    asked,
    later(ms: number) {
      now += ms;
    },
  };
}

describe('the count of copies', () => {
  it('is asked for shared images alone, and not again for some seconds', async () => {
    const [one, two, own] = [recordOf(1), recordOf(2), recordOf(3, { shared: false })];
    const { counts, asked, later } = counting(({ root }) => (root === one.root ? ['a', 'b'] : []));
    const expected = new Map([
      [one.root, 2],
      [two.root, 0],
    ]);
    expect(await counts.of([one, two, own])).toEqual(expected);
    expect(await counts.of([one, two, own])).toEqual(expected);
    expect(asked).toEqual([one.root, two.root]);
    later(5_000);
    await counts.of([one]);
    expect(asked).toEqual([one.root, two.root, one.root]);
  });

  it('leaves out what is not told, and asks again the next time', async () => {
    const [one, two] = [recordOf(1), recordOf(2)];
    let broken = true;
    const { counts } = counting(({ root }) => {
      if (broken && root === one.root) throw new Error('the network went away');
      return ['a'];
    });
    expect(await counts.of([one, two])).toEqual(new Map([[two.root, 1]]));
    broken = false;
    expect((await counts.of([one, two])).get(one.root)).toBe(1);
  });

  it('asks for a few images at one time, however many there are', async () => {
    let running = 0;
    let most = 0;
    const { counts, asked } = counting(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return [];
    });
    const records = Array.from({ length: 50 }, (_, number) => recordOf(number));
    expect((await counts.of(records)).size).toBe(50);
    expect(asked).toHaveLength(50);
    expect(most).toBeLessThanOrEqual(8);
  });
});
