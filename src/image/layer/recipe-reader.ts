import { Fault } from '../../base/fault.ts';
import { MAX_VARINT_BYTES, readVarint } from '../../base/varint.ts';
import type { LayerIndex } from './layer-index.ts';
import { RECIPE_MAGIC, RECIPE_VERSION } from './recipe-format.ts';

/** The next bytes of the tar: as they are (a view into a chunk of the source), or a range of an object. */
export type RecipePiece =
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }
  | { readonly kind: 'object'; readonly object: number; readonly offset: number; readonly length: number };

export interface RecipeLimits {
  /** Bytes of the tar that the recipe may make. */
  readonly tarBytes: number;
}

/** 1 TiB, as the largest object. */
export const DEFAULT_RECIPE_LIMITS: RecipeLimits = { tarBytes: 2 ** 40 };

function badRecipe(what: string): Fault {
  return new Fault('corrupt', 'bad-recipe', `not a tar recipe: ${what}`);
}

type ObjectPiece = Extract<RecipePiece, { kind: 'object' }>;

/** Chunks of the source as one run of bytes. */
class RecipeBytes {
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#source =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** The next bytes, at least one and at most `most`; none at the end. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.next();
      if (done) return new Uint8Array(0);
      this.#rest = value;
    }
    return this.take(most);
  }

  /** Of what is at hand, without waiting. */
  take(most: number): Uint8Array {
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /** `undefined` where the bytes end before the first of it. */
  async varint(): Promise<number | undefined> {
    const whole = this.#varintAtHand(this.#rest);
    if (whole !== undefined) return whole;
    const bytes: number[] = [];
    for (;;) {
      const [byte] = await this.some(1);
      if (byte === undefined) {
        if (bytes.length === 0) return undefined;
        throw badRecipe('it ends inside a number');
      }
      bytes.push(byte);
      if (byte < 128) return checkVarint(Uint8Array.from(bytes))?.value;
      if (bytes.length > MAX_VARINT_BYTES) throw badRecipe('a number is too large');
    }
  }

  #varintAtHand(bytes: Uint8Array): number | undefined {
    const read = checkVarint(bytes);
    if (read !== undefined) this.take(read.next);
    return read?.value;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** One number has one form: no zero byte ends a longer one. */
function checkVarint(bytes: Uint8Array): { value: number; next: number } | undefined {
  let read: { value: number; next: number } | undefined;
  try {
    read = readVarint(bytes, 0);
  } catch (cause) {
    throw new Fault('corrupt', 'bad-recipe', 'not a tar recipe: a number is too large', { cause });
  }
  if (read !== undefined && read.next > 1 && bytes[read.next - 1] === 0)
    throw badRecipe('a number is padded');
  return read;
}

async function need(bytes: RecipeBytes, what: string): Promise<number> {
  const value = await bytes.varint();
  if (value === undefined) throw badRecipe(`it ends before ${what}`);
  return value;
}

async function readHead(bytes: RecipeBytes, limits: RecipeLimits): Promise<number> {
  for (const byte of RECIPE_MAGIC) {
    if ((await bytes.some(1))[0] !== byte) throw badRecipe('it does not begin with "shprecip"');
  }
  const version = await need(bytes, 'its version');
  if (version !== RECIPE_VERSION) {
    throw new Fault('unsupported', 'recipe-version', `a tar recipe of version ${version}`, {
      fields: { version },
    });
  }
  const tarSize = await need(bytes, 'the size of the tar');
  if (tarSize > limits.tarBytes) {
    throw new Fault('invalid', 'tar-too-big', `a tar of ${tarSize} bytes; ${limits.tarBytes} are allowed`, {
      fields: { size: tarSize, limit: limits.tarBytes },
    });
  }
  return tarSize;
}

/** @param head the piece's first varint, odd */
async function readObject(bytes: RecipeBytes, head: number, index: LayerIndex): Promise<ObjectPiece> {
  const object = Math.floor(head / 4);
  if (object >= index.objectCount) throw badRecipe(`object ${object} of ${index.objectCount}`);
  const size = index.objectSize(object);
  if (head % 4 === 1) {
    if (size === 0) throw badRecipe(`the empty object ${object}`);
    return { kind: 'object', object, offset: 0, length: size };
  }
  const offset = await need(bytes, 'an offset');
  const length = await need(bytes, 'a length');
  if (length === 0 || offset > size || length > size - offset || length === size) {
    throw badRecipe(`bytes ${offset} + ${length} of object ${object}, which has ${size}`);
  }
  return { kind: 'object', object, offset, length };
}

/**
 * Reads a recipe piece by piece, so that a long one needs no memory.
 * @param index the layer's; object numbers are its
 * @throws Fault `corrupt/bad-recipe`, `unsupported/recipe-version`, `invalid/tar-too-big`
 */
export async function* readRecipe(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  index: LayerIndex,
  limits: RecipeLimits = DEFAULT_RECIPE_LIMITS,
): AsyncIterable<RecipePiece> {
  const bytes = new RecipeBytes(source);
  try {
    let left = await readHead(bytes, limits);
    let last: ObjectPiece | 'literal' | undefined;
    for (;;) {
      const head = await bytes.varint();
      if (head === undefined) break;
      if (head % 2 === 1) {
        const piece = await readObject(bytes, head, index);
        if (piece.length > left) throw badRecipe('it makes more than the size of its tar');
        left -= piece.length;
        if (
          typeof last === 'object' &&
          last.object === piece.object &&
          last.offset + last.length === piece.offset
        ) {
          throw badRecipe(`object ${piece.object} is cut in two`);
        }
        last = piece;
        yield piece;
        continue;
      }
      const length = head / 2;
      if (length === 0 || last === 'literal') throw badRecipe('bytes are cut in two');
      if (length > left) throw badRecipe('it makes more than the size of its tar');
      left -= length;
      last = 'literal';
      for (let rest = length; rest > 0; ) {
        const literal = await bytes.some(rest);
        if (literal.length === 0) throw badRecipe(`it ends ${rest} bytes early`);
        rest -= literal.length;
        yield { kind: 'literal', bytes: literal };
      }
    }
    if (left > 0) throw badRecipe(`it makes ${left} bytes less than the size of its tar`);
  } finally {
    await bytes.close();
  }
}
