import fc from 'fast-check';
import { parseDuration, printDuration } from '../../src/config/duration.ts';
import { nearestName } from '../../src/config/nearest-name.ts';
import { parseSize, printSize } from '../../src/config/size.ts';

describe('sizes', () => {
  it('of any whole number of bytes print to what reads back', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(printSize(bytes)) === bytes));
    fc.assert(
      fc.property(fc.nat(999), fc.constantFrom(1e3, 1e6, 1e9, 2 ** 10, 2 ** 20, 2 ** 30), (n, unit) => {
        expect(parseSize(printSize(n * unit))).toBe(n * unit);
      }),
    );
  });

  it.each([
    ['64MiB', 67_108_864, '64MiB'],
    ['20MB', 20_000_000, '20MB'],
    ['1.5 GiB', 1_610_612_736, '1536MiB'],
    ['0', 0, '0'],
    ['4096', 4096, '4KiB'],
    ['1500B', 1500, '1500'],
  ])('%s is %d bytes, canonically %s', (text, bytes, canonical) => {
    expect(parseSize(text)).toBe(bytes);
    expect(printSize(bytes)).toBe(canonical);
  });

  it.each(['', 'MiB', '-1', '1.5', '1,5MB', '12 parsecs', '1e3', '99999999TiB', '0x10'])(
    '%j is no size',
    (text) => {
      expect(() => parseSize(text)).toThrow('is not a size');
    },
  );
});

describe('durations', () => {
  it('of any whole number of milliseconds print to what reads back', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (ms) => parseDuration(printDuration(ms)) === ms));
  });

  it.each([
    ['30s', 30_000, '30s'],
    ['5m', 300_000, '5m'],
    ['1h30m', 5_400_000, '90m'],
    ['250ms', 250, '250ms'],
    ['24h', 86_400_000, '1d'],
    ['0', 0, '0'],
  ])('%s is %d ms, canonically %s', (text, ms, canonical) => {
    expect(parseDuration(text)).toBe(ms);
    expect(printDuration(ms)).toBe(canonical);
  });

  it.each(['', '30', 's', '-5s', '5 s x', '1.5ms', '5y'])('%j is no duration', (text) => {
    expect(() => parseDuration(text)).toThrow('is not a duration');
  });
});

describe('the nearest name', () => {
  it('finds one edit anywhere', () => {
    expect(nearestName('store.cachemax', ['store.cacheMax', 'store.reserve'])).toBe('store.cacheMax');
    expect(nearestName('cachMax', ['store.cacheMax', 'store.reserve'])).toBe('store.cacheMax');
  });

  it('finds none for what is far from all', () => {
    expect(nearestName('qqqqqqqqqqqqqqqqqqqqqqqqqqqqq', ['store.cacheMax'])).toBeUndefined();
  });
});
