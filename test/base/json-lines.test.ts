import fc from 'fast-check';
import { createJsonLineSplitter, encodeJsonLine } from '../../src/base/json-lines.ts';

describe('JSON lines', () => {
  it('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (values, cuts) => {
          const bytes = Buffer.concat(values.map((value) => encodeJsonLine(value)));
          const splitter = createJsonLineSplitter();
          const seen: unknown[] = [];
          for (let at = 0; at < bytes.length; ) {
            const length = cuts.next().value as number;
            seen.push(...splitter.push(bytes.subarray(at, at + length)));
            at += length;
          }
          // -0 has no JSON form
          expect(JSON.stringify(seen)).toBe(JSON.stringify(values));
        },
      ),
    );
  });

  it('keep nothing of the chunk they were given', () => {
    const splitter = createJsonLineSplitter();
    const chunk = Buffer.from('{"a":');
    expect([...splitter.push(chunk)]).toEqual([]);
    chunk.fill(0);
    expect([...splitter.push(Buffer.from('1}\n\n'))]).toEqual([{ a: 1 }]);
  });

  it('give what stands before a bad line, then refuse it', () => {
    const splitter = createJsonLineSplitter();
    const seen: unknown[] = [];
    expect(() => {
      for (const value of splitter.push(Buffer.from('1\n2\nnot json\n3\n'))) seen.push(value);
    }).toThrow(expect.objectContaining({ code: 'bad-json-line' }));
    expect(seen).toEqual([1, 2]);
  });

  it('are refused past their bound before they end, and never sent', () => {
    const fits = createJsonLineSplitter(8);
    expect([...fits.push(Buffer.from('12345678\n'))]).toEqual([12345678]);
    const splitter = createJsonLineSplitter(8);
    expect([...splitter.push(Buffer.from('12345'))]).toEqual([]);
    expect(() => [...splitter.push(Buffer.from('6789'))]).toThrow(
      expect.objectContaining({ code: 'line-too-long' }),
    );
    expect(encodeJsonLine(12345678, 8).toString()).toBe('12345678\n');
    expect(() => encodeJsonLine(123456789, 8)).toThrow(expect.objectContaining({ code: 'line-too-long' }));
  });
});
