import fc from 'fast-check';
import {
  parseDecimal,
  parseDecimalLow32,
  parsePaxTime,
  readLow32,
  readNumeric,
  readOctal,
} from '../../../src/image/tar/tar-number.ts';

const field = (text: string) => Buffer.from(text, 'latin1');
const octal = (text: string) => readOctal(field(text), 0, text.length);
const numeric = (text: string) => readNumeric(field(text), 0, text.length);

/** Two's complement, big-endian, the top bit of the first byte set: base-256 as GNU tar writes it. */
function base256(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  for (let at = width - 1, rest = BigInt.asUintN(width * 8, value); at >= 0; at--, rest >>= 8n) {
    bytes[at] = Number(rest & 255n);
  }
  bytes[0] = (bytes[0] as number) | 0x80;
  return bytes;
}

describe('octal numbers', () => {
  it.each([
    ['0000644\0', 0o644],
    ['   644 \0', 0o644],
    ['644\0\0\0\0\0', 0o644],
    ['\0\0 7 \0', 7],
    ['777777777777', 0o777777777777],
    ['', 0],
    ['\0\0\0\0', 0],
    ['12\x0099', 0o12],
  ])('%j is %d', (text, value) => expect(octal(text)).toBe(value));

  it.each(['8', '-1', '0x1', '1 1', '+7', '7a'])('%j is none', (text) => expect(octal(text)).toBeNaN());
});

describe('base-256 numbers', () => {
  it.each([
    ['\x80', 0],
    ['\x80\0\0\x01', 1],
    ['\xff\xff\xff\xff', -1],
    ['\xff\xff\xff\x85', -123],
    ['\xc0\0', -16_384],
    ['\x87\x76\xa2\x22\xeb\x8a\x72\x61', Number(537_795_476_381_659_745n)],
    ['\x80\0\0\0\x07\x76\xa2\x22\xeb\x8a\x72\x61', Number(537_795_476_381_659_745n)],
  ])('%j is %d', (text, value) => expect(numeric(text)).toBe(value));

  it.each([
    '\x80\0\0\0\xf7\x76\xa2\x22\xeb\x8a\x72\x61',
    '\x90\0\0\0\0\0\0\0\0',
    '\x9f\xff\xff\xff\xff\xff\xff\xff\xff\xff',
  ])('%j is past an int64', (text) => expect(numeric(text)).toBeNaN());

  it('give back every exact number, and the low 32 bits of every int64', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n - 1n }),
        fc.constantFrom(8, 12),
        (value, width) => {
          const bytes = base256(value, width);
          if (value > -(2n ** 53n) && value < 2n ** 53n)
            expect(readNumeric(bytes, 0, width)).toBe(Number(value));
          expect(readLow32(bytes, 0, width)).toBe(Number(BigInt.asUintN(32, value)));
        },
      ),
    );
  });
});

describe('decimal numbers', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['+12', 12],
    ['-12', -12],
    ['00000000000000000000000000012', 12],
    ['9007199254740993', 9_007_199_254_740_992],
    ['9223372036854775807', 2 ** 63],
    ['-9223372036854775808', -(2 ** 63)],
  ])('%s is %d', (text, value) => expect(parseDecimal(text)).toBe(value));

  it.each([
    '',
    '-',
    '+',
    ' 1',
    '1 ',
    '1.0',
    '1e3',
    '0x1',
    '１',
    '9223372036854775808',
    '-9223372036854775809',
    '9'.repeat(400),
  ])('%j is none', (text) => expect(parseDecimal(text)).toBeNaN());

  it.each([
    ['-1', 0xffff_ffff],
    ['4294967301', 5],
    ['-9223372036854775808', 0],
  ])('the low 32 bits of %s are %d', (text, value) => expect(parseDecimalLow32(text)).toBe(value));

  it('are all of int64', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(parseDecimal(String(value))).toBe(Number(value));
        expect(parseDecimalLow32(String(value))).toBe(Number(BigInt.asUintN(32, value)));
      }),
    );
  });
});

describe('PAX times', () => {
  it.each([
    ['1350244992.023960108', 1_350_244_992, 23_960_108],
    ['1350244992.02396010', 1_350_244_992, 23_960_100],
    ['1350244992.0239601089', 1_350_244_992, 23_960_108],
    ['1350244992.', 1_350_244_992, 0],
    ['-1.000000001', -2, 999_999_999],
    ['-0.5', -1, 500_000_000],
    ['-1.', -1, 0],
    ['0.5', 0, 500_000_000],
    ['9223372036854775807.1', 0, 0],
  ])('%s', (text, seconds, nanos) => expect(parsePaxTime(text)).toEqual({ seconds, nanos }));

  it.each(['', '.5', '-', '-.5', '1.x', '1.-5', '0x1', '1.5 ', '9223372036854775808'])('%j is none', (text) =>
    expect(parsePaxTime(text)).toBeUndefined(),
  );
});
