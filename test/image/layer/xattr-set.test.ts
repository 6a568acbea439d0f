import fc from 'fast-check';
import {
  decodeXattrSet,
  encodeXattrSet,
  isXattrSet,
  sortXattrs,
} from '../../../src/image/layer/xattr-set.ts';

const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength });
const name = bytes(4).map((raw) => raw.map((byte) => byte || 1));
const set = fc
  .uniqueArray(fc.record({ name, value: fc.uint8Array({ maxLength: 4 }) }), {
    minLength: 1,
    maxLength: 5,
    selector: (xattr) => Buffer.from(xattr.name).toString('hex'),
  })
  .map(sortXattrs);

describe('xattr set', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(set, (xattrs) => {
        const encoded = encodeXattrSet(xattrs);
        expect(isXattrSet(encoded)).toBe(true);
        const plain = decodeXattrSet(encoded).map((x) => [Buffer.from(x.name), Buffer.from(x.value)]);
        expect(plain).toEqual(xattrs.map((x) => [Buffer.from(x.name), Buffer.from(x.value)]));
      }),
    );
  });

  it('takes no other bytes', () => {
    const change = fc.tuple(fc.nat(60), fc.nat(255));
    fc.assert(
      fc.property(set, fc.array(change, { maxLength: 2 }), fc.nat(60), (xattrs, changes, cut) => {
        const changed = Buffer.from(encodeXattrSet(xattrs)).subarray(0, cut);
        for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
        if (!isXattrSet(changed)) return;
        const read = decodeXattrSet(changed);
        expect(encodeXattrSet(sortXattrs(read))).toEqual(Buffer.from(changed));
        expect(new Set(read.map((x) => Buffer.from(x.name).toString('hex'))).size).toBe(read.length);
      }),
      { numRuns: 3000 },
    );
  });

  it('is never empty, and holds no empty name, no NUL in one and no two of one name', () => {
    const one = { name: Buffer.from('a'), value: Buffer.from('v') };
    expect(isXattrSet(new Uint8Array(0))).toBe(false);
    expect(isXattrSet(encodeXattrSet([{ ...one, name: Buffer.alloc(0) }]))).toBe(false);
    expect(isXattrSet(encodeXattrSet([{ ...one, name: Buffer.from('a\0') }]))).toBe(false);
    expect(isXattrSet(encodeXattrSet([one, one]))).toBe(false);
    expect(isXattrSet(encodeXattrSet([{ ...one, name: Buffer.from('ab') }, one]))).toBe(false);
    expect(isXattrSet(encodeXattrSet([one, { ...one, name: Buffer.from('ab') }]))).toBe(true);
  });
});
