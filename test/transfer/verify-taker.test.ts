import { sha256 } from '../../src/base/digest.ts';
import type { DraftObject } from '../../src/image/layer/layer-draft.ts';
import type { ContentTaker } from '../../src/transfer/content-taker.ts';
import { createVerifyTaker } from '../../src/transfer/verify-taker.ts';

/** A taker that hashes what it is given, zeros where nothing was. */
function hashingTaker(): ContentTaker & { readonly files: Buffer[]; aborted: number } {
  let file = Buffer.alloc(0);
  const files: Buffer[] = [];
  return {
    files,
    aborted: 0,
    begin(size) {
      file = Buffer.alloc(size);
    },
    data(offset, bytes) {
      file.set(bytes, offset);
    },
    end() {
      files.push(file);
      return { hash: sha256(file), size: file.length };
    },
    abort() {
      this.aborted++;
    },
  };
}

const content = Buffer.from('0123456789');
const object: DraftObject = { hash: sha256(content), size: content.length };
const longer: DraftObject = { hash: sha256(Buffer.from('0123456789x')), size: 11 };
const refused = expect.objectContaining({ kind: 'corrupt', code: 'bad-recipe' });

describe('a taker that verifies', () => {
  it('takes whole content in place from an object without hashing it', () => {
    const other = hashingTaker();
    const taker = createVerifyTaker(other);
    taker.begin(10);
    taker.fromObject(object, 0);
    taker.data(0, content.subarray(0, 4));
    taker.data(4, content.subarray(4));
    expect(taker.end()).toEqual(object);
    expect(other.files).toEqual([]);
  });

  it('follows the fragments of a sparse file', () => {
    const taker = createVerifyTaker(hashingTaker());
    taker.begin(10);
    taker.fromObject(object, 2);
    taker.data(2, content.subarray(2, 4));
    taker.fromObject(object, 7);
    taker.data(7, content.subarray(7));
    expect(taker.end()).toEqual(object);
  });

  it('hashes what stands in the recipe, and files of no bytes', () => {
    const other = hashingTaker();
    const taker = createVerifyTaker(other);
    taker.begin(10);
    taker.fromRecipe();
    taker.data(0, content);
    expect(taker.end()).toEqual(object);
    taker.begin(0);
    expect(taker.end().size).toBe(0);
    taker.begin(3);
    expect(taker.end()).toEqual({ hash: sha256(Buffer.alloc(3)), size: 3 });
    expect(other.files).toHaveLength(3);
  });

  it.each<[string, (taker: ReturnType<typeof createVerifyTaker>) => void]>([
    [
      'of an object of another size',
      (taker) => {
        taker.fromObject(longer, 0);
        taker.data(0, content);
      },
    ],
    [
      'of another place',
      (taker) => {
        taker.fromObject(object, 1);
        taker.data(0, content.subarray(1));
      },
    ],
    [
      'of two objects',
      (taker) => {
        taker.fromObject(object, 0);
        taker.data(0, content.subarray(0, 5));
        taker.fromObject({ ...object, hash: longer.hash }, 5);
        taker.data(5, content.subarray(5));
      },
    ],
    [
      'of an object and of the recipe',
      (taker) => {
        taker.fromObject(object, 0);
        taker.data(0, content.subarray(0, 5));
        taker.fromRecipe();
        taker.data(5, content.subarray(5));
      },
    ],
    [
      'of the recipe and of an object',
      (taker) => {
        taker.fromRecipe();
        taker.data(0, content.subarray(0, 5));
        taker.fromObject(object, 5);
        taker.data(5, content.subarray(5));
      },
    ],
  ])('refuses content %s', (_, give) => {
    const taker = createVerifyTaker(hashingTaker());
    taker.begin(10);
    expect(() => give(taker)).toThrow(refused);
  });

  it('gives up what it began', () => {
    const other = hashingTaker();
    const taker = createVerifyTaker(other);
    taker.begin(10);
    taker.abort();
    expect(other.aborted).toBe(0);
    taker.fromRecipe();
    taker.data(0, content);
    taker.abort();
    taker.abort();
    expect(other.aborted).toBe(1);
  });
});
