import {
  checkShape,
  count,
  flag,
  list,
  optional,
  record,
  text,
  tuple,
  word,
} from '../../src/base/json-shape.ts';

const shape = record({
  name: text(4),
  kind: word('a', 'b'),
  on: optional(flag),
  ranges: list(tuple(count(), count(10)), 2),
});

function wrong(value: unknown): string | undefined {
  return shape(value, 'it');
}

describe('shapes', () => {
  it('let through what fits, unknown fields too', () => {
    expect(wrong({ name: 'abcd', kind: 'a', ranges: [] })).toBeUndefined();
    expect(
      wrong({
        name: '',
        kind: 'b',
        on: true,
        ranges: [
          [1, 2],
          [0, 10],
        ],
        newer: {},
      }),
    ).toBeUndefined();
  });

  it('name the place of what does not', () => {
    const good = { name: 'abcd', kind: 'a', ranges: [] };
    expect(wrong(null)).toBe('it');
    expect(wrong([])).toBe('it');
    expect(wrong({ ...good, name: 'abcde' })).toBe('it.name');
    expect(wrong({ ...good, kind: 'toString' })).toBe('it.kind');
    expect(wrong({ ...good, on: 1 })).toBe('it.on');
    expect(wrong({ ...good, on: null })).toBe('it.on');
    expect(
      wrong({
        ...good,
        ranges: [
          [1, 2],
          [1, 2],
          [1, 2],
        ],
      }),
    ).toBe('it.ranges');
    expect(wrong({ ...good, ranges: [[1, 2, 3]] })).toBe('it.ranges[0]');
    expect(
      wrong({
        ...good,
        ranges: [
          [1, 2],
          [1, 11],
        ],
      }),
    ).toBe('it.ranges[1][1]');
    for (const bad of [-1, 1.5, '1', Number.NaN, 2 ** 53]) {
      expect(wrong({ ...good, ranges: [[bad, 1]] })).toBe('it.ranges[0][0]');
    }
  });

  it('see own fields only', () => {
    expect(wrong(JSON.parse('{"__proto__":{"name":"abcd"},"kind":"a","ranges":[]}'))).toBe('it.name');
    expect(() => checkShape({}, shape, 'it')).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'bad-message', fields: { place: 'it.name' } }),
    );
  });
});
