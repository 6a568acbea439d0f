import fc from 'fast-check';
import { sha256 } from '../../src/base/digest.ts';
import { CidMarks } from '../../src/store/cid-marks.ts';
import { createSequence, endOfRun } from '../../src/store/sequence.ts';
import { decodeStoredRow, encodeStoredRow } from '../../src/store/stored-row.ts';
import { prefixEnd } from '../../src/store/table.ts';

it('marks tell what was added from what was not', () => {
  const marks = new CidMarks();
  const digests = Array.from({ length: 20_000 }, (_, index) => sha256(Buffer.from(`${index}`)));
  const [added, others] = [digests.slice(0, 10_000), digests.slice(10_000)];
  for (const digest of added) expect(marks.add(digest)).toBe(true);
  for (const digest of added) expect(marks.add(digest)).toBe(false);
  expect(marks.size).toBe(10_000);
  expect(added.every((digest) => marks.has(digest))).toBe(true);
  expect(others.some((digest) => marks.has(digest))).toBe(false);
  const zeros = Buffer.alloc(32);
  expect(marks.has(zeros)).toBe(false);
  marks.add(zeros);
  expect(marks.has(zeros)).toBe(true);
});

it('birth numbers ascend over runs, and a run has an end', () => {
  const [first, second] = [createSequence(0), createSequence(1)];
  const numbers = [first.take(), first.take(), second.take()];
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(endOfRun(numbers[0] as number)).toBeGreaterThan(numbers[1] as number);
  expect(endOfRun(numbers[0] as number)).toBeLessThanOrEqual(numbers[2] as number);
});

it('rows come back as they were', () => {
  fc.assert(
    fc.property(
      fc.record({
        shared: fc.boolean(),
        born: fc.maxSafeNat(),
        size: fc.maxSafeNat(),
        storedSize: fc.maxSafeNat(),
      }),
      (row) => {
        expect(decodeStoredRow(encodeStoredRow(row))).toEqual(row);
      },
    ),
  );
});

it('the end of a prefix lies behind all keys that begin with it', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.uint8Array({ maxLength: 4 }),
      (prefix, rest) => {
        fc.pre(prefix.some((byte) => byte !== 0xff));
        const end = prefixEnd(Buffer.from(prefix));
        expect(Buffer.compare(Buffer.concat([prefix, rest]), end)).toBe(-1);
        expect(Buffer.compare(Buffer.from(prefix), end)).toBe(-1);
      },
    ),
  );
});
