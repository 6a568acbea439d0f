import { murmur3128 } from '@multiformats/murmur3';
import fc from 'fast-check';
import { murmur3x64 } from '../../../src/image/dag/murmur3.ts';

describe('murmur3-x64-64', () => {
  it('is the first half of the published murmur3-x64-128, for every length and offset', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 100 }),
        fc.integer({ min: 0, max: 9 }),
        async (key, offset) => {
          const holder = new Uint8Array(key.length + offset);
          holder.set(key, offset);
          const whole = await murmur3128.encode(key);
          expect(Buffer.from(murmur3x64(holder.subarray(offset)))).toEqual(Buffer.from(whole.subarray(0, 8)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('knows a vector', () => {
    // MurmurHash3_x64_128("The quick brown fox jumps over the lazy dog", seed 0) begins e34bbc7bbc071b6c.
    const hash = murmur3x64(Buffer.from('The quick brown fox jumps over the lazy dog'));
    expect(Buffer.from(hash).toString('hex')).toBe('e34bbc7bbc071b6c');
  });
});
