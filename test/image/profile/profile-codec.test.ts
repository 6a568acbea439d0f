import fc from 'fast-check';
import { decodeProfile, encodeProfile } from '../../../src/image/profile/profile-codec.ts';
import { type LeafRange, PROFILE_LIMITS } from '../../../src/image/profile/start-up-profile.ts';

const root = 'bafybeigllfqgfpqydppr6cmv56g7ax4wyhruzswvcefv6j5kj77nzttfki';

const leafRange: fc.Arbitrary<LeafRange> = fc
  .record({
    layer: fc.oneof(fc.nat(3), fc.nat(PROFILE_LIMITS.layers - 1)),
    object: fc.oneof(fc.nat(30), fc.nat(PROFILE_LIMITS.objects - 1)),
    first: fc.oneof(fc.constant(0), fc.nat(PROFILE_LIMITS.leaves - 2)),
    count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5000 })),
  })
  .map(({ layer, object, first, count }) => ({
    layer,
    object,
    first,
    end: Math.min(first + count, PROFILE_LIMITS.leaves),
  }));
const profile = fc.record({
  root: fc.constant(root),
  runs: fc.integer({ min: 1, max: PROFILE_LIMITS.runs }),
  ranges: fc.array(leafRange, { maxLength: 300 }),
});

describe('a start-up profile', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(profile, (given) => {
        expect(decodeProfile(encodeProfile(given))).toEqual(given);
      }),
    );
  });

  it('has fixed bytes', () => {
    const ranges = [
      { layer: 0, object: 7, first: 0, end: 1 },
      { layer: 0, object: 5, first: 0, end: 1 },
      { layer: 2, object: 1, first: 3, end: 20 },
      { layer: 2, object: 300, first: 0, end: 2 },
    ];
    const bytes = encodeProfile({ root, runs: 3, ranges });
    const head = Buffer.from(bytes.subarray(0, 9 + 36));
    expect(head.toString('latin1', 0, 8)).toBe('shpstart');
    expect(head[8]).toBe(36);
    expect(Buffer.from(bytes.subarray(45)).toString('hex')).toBe(
      '010304' + '38' + '0c' + '0b020311' + 'da120002',
    );
  });

  it('takes two or three bytes for a small file', () => {
    const ranges = Array.from({ length: 1000 }, (_, i) => ({
      layer: Math.floor(i / 250),
      object: (i * 37) % 900,
      first: 0,
      end: 1,
    }));
    expect(encodeProfile({ root, runs: 1, ranges }).length).toBeLessThan(3000);
  });

  it('is refused where it is cut, changed in its form, or too large', () => {
    fc.assert(
      fc.property(profile, fc.nat(), (given, at) => {
        const bytes = encodeProfile(given);
        const cut = bytes.subarray(0, at % bytes.length);
        expect(() => decodeProfile(cut)).toThrow(expect.objectContaining({ code: 'bad-profile' }));
        expect(() => decodeProfile(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(
          expect.objectContaining({ kind: 'corrupt', code: 'bad-profile' }),
        );
      }),
    );
    const many = Array.from({ length: PROFILE_LIMITS.ranges + 1 }, () => ({
      layer: 0,
      object: 0,
      first: 0,
      end: 1,
    }));
    expect(() => encodeProfile({ root, runs: 1, ranges: many })).toThrow(
      expect.objectContaining({ code: 'profile-too-big' }),
    );
    expect(() => decodeProfile(new Uint8Array(PROFILE_LIMITS.bytes + 1))).toThrow(/no start-up profile/);
  });

  it('never ends otherwise than by a fault, whatever the bytes', () => {
    fc.assert(
      fc.property(
        profile,
        fc.nat(),
        fc.nat(255),
        fc.uint8Array({ maxLength: 64 }),
        (given, at, value, noise) => {
          const bytes = encodeProfile(given);
          bytes[at % bytes.length] = value;
          for (const hostile of [bytes, noise, Buffer.concat([bytes.subarray(0, 45), noise])]) {
            try {
              decodeProfile(hostile);
            } catch (error) {
              expect(error).toMatchObject({ kind: 'corrupt', code: 'bad-profile' });
            }
          }
        },
      ),
    );
  });
});
