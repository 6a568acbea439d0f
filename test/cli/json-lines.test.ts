import fc from 'fast-check';
import { readJsonLines } from '../../src/cli/json-lines.ts';

async function* split(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  for (let i = 1; i < at.length; i++) yield bytes.subarray(at[i - 1], at[i]);
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of readJsonLines(stream)) values.push(value);
  return values;
}

describe('lines of JSON', () => {
  it('come out as they went in, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        fc.array(fc.nat()),
        fc.boolean(),
        async (values, cuts, ended) => {
          const text = values.map((value) => JSON.stringify(value)).join('\n') + (ended ? '\n' : '');
          expect(await all(split(Buffer.from(text), cuts))).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
    );
  });

  it('that are none are refused', async () => {
    await expect(all(split(Buffer.from('{"a":1}\nnope\n'), []))).rejects.toMatchObject({
      code: 'bad-json-line',
    });
  });

  it('without an end are bounded', async () => {
    async function* endless() {
      for (;;) yield Buffer.alloc(1 << 20, 'x');
    }
    await expect(all(endless())).rejects.toMatchObject({ code: 'bad-json-line' });
  });
});
