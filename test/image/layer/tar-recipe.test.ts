import fc from 'fast-check';
import { Fault } from '../../../src/base/fault.ts';
import { decodeLayerIndex, encodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import { createLayerDraft } from '../../../src/image/layer/layer-draft.ts';
import type { LayerIndex } from '../../../src/image/layer/layer-index.ts';
import { DEFAULT_LAYER_LIMITS } from '../../../src/image/layer/layer-limits.ts';
import { createRecipeDraft } from '../../../src/image/layer/recipe-draft.ts';
import {
  DEFAULT_RECIPE_LIMITS,
  type RecipePiece,
  readRecipe,
} from '../../../src/image/layer/recipe-reader.ts';
import { encodeRecipe } from '../../../src/image/layer/tar-recipe.ts';
import { randomTar } from './random-tar.ts';
import { bytesOf, directory, file, hardlink, type Member, objectOf, tarEntry } from './tar-entries.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What a tar with these members would look like to a sink: a header each, then content in fragments, then padding. */
interface Built {
  readonly tar: Buffer;
  readonly recipe: Buffer;
  readonly index: LayerIndex;
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

/** @param fragment bytes stored at once, with as many left out between: a sparse file; 0: stored whole */
async function build(members: readonly Member[], fragment = 0): Promise<Built> {
  const layer = createLayerDraft(DEFAULT_LAYER_LIMITS);
  const draft = createRecipeDraft();
  const contents = new Map<string, Uint8Array>();
  const tar: Uint8Array[] = [];
  const literal = (bytes: Uint8Array): void => {
    tar.push(bytes);
    draft.literal(bytes);
  };
  for (const member of members) {
    literal(bytesOf(`header of ${member.path}`));
    const content = bytesOf(member.content ?? '');
    const object = objectOf(content);
    contents.set(hex(object.hash), content);
    layer.add(tarEntry(member), member.type === 'file' ? object : undefined);
    for (let at = 0; at < content.length; at += fragment === 0 ? content.length : fragment * 2) {
      const stored = content.subarray(at, fragment === 0 ? content.length : at + fragment);
      tar.push(stored);
      draft.content(object.hash, at, stored.length);
    }
    literal(bytesOf('padding'));
  }
  literal(new Uint8Array(1024));
  const entries = layer.finish();
  const dropped = (hash: Uint8Array, offset: number, length: number): AsyncIterable<Uint8Array> => {
    expect(entries.keepsObject(hash)).toBe(false);
    return chunksOf((contents.get(hex(hash)) as Uint8Array).subarray(offset, offset + length), 2);
  };
  const recipe = await collect(encodeRecipe(draft, entries, dropped));
  const whole = Buffer.concat(tar);
  expect(draft.tarSize).toBe(whole.length);
  return { tar: whole, recipe, index: decodeLayerIndex(encodeLayerIndex(entries)), contents };
}

async function pieces(recipe: Uint8Array, index: LayerIndex, chunk = 7): Promise<RecipePiece[]> {
  const all: RecipePiece[] = [];
  for await (const piece of readRecipe(chunksOf(recipe, chunk), index)) all.push(piece);
  return all;
}

async function rebuild({ recipe, index, contents }: Built, chunk: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const piece of await pieces(recipe, index, chunk)) {
    if (piece.kind === 'literal') parts.push(piece.bytes);
    else {
      const content = contents.get(hex(index.objectDigest(piece.object))) as Uint8Array;
      parts.push(content.subarray(piece.offset, piece.offset + piece.length));
    }
  }
  return Buffer.concat(parts);
}

/** A recipe by hand. */
function handmade(tarSize: number, ...ops: (number | string)[]): Buffer {
  const body = ops.map((op) => (typeof op === 'number' ? Buffer.of(op) : Buffer.from(op)));
  return Buffer.concat([Buffer.from('shprecip'), Buffer.of(1, tarSize), ...body]);
}

describe('tar recipe', () => {
  it('gives any tar back from recipe and objects, however the recipe is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomTar,
        fc.nat(3),
        fc.integer({ min: 1, max: 40 }),
        async (members, fragment, chunk) => {
          let built: Built;
          try {
            built = await build(members, fragment);
          } catch (thrown) {
            if (!(thrown instanceof Fault)) throw thrown;
            return;
          }
          expect((await rebuild(built, chunk)).equals(built.tar)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('holds replaced content and content of whiteouts, and none of what the layer keeps', async () => {
    const built = await build([
      file('a', 'OLD'),
      file('.wh.b', 'GHOST'),
      file('a', 'KEPT'),
      hardlink('c', 'a'),
    ]);
    const text = built.recipe.toString('latin1');
    expect(text).toContain('OLD');
    expect(text).toContain('GHOST');
    expect(text).not.toContain('KEPT');
    expect(await rebuild(built, 5)).toEqual(built.tar);
  });

  it('has one form: header and size, literals merged, whole objects and parts', async () => {
    const built = await build([directory('d'), file('a', 'KEPT'), file('e', '')]);
    expect(built.recipe.subarray(0, 9)).toEqual(Buffer.from('shprecip\x01'));
    const kinds = (await pieces(built.recipe, built.index, 1e6)).map((piece) => piece.kind);
    expect(kinds).toEqual(['literal', 'object', 'literal']);
    const again = await build([directory('d'), file('a', 'KEPT'), file('e', '')]);
    expect(again.recipe).toEqual(built.recipe);
  });

  it('does not tell in how many calls the bytes came', async () => {
    const { index } = await build([file('a', 'abcdef')]);
    const layer = createLayerDraft(DEFAULT_LAYER_LIMITS);
    const object = objectOf('abcdef');
    layer.add(tarEntry(file('a', 'abcdef')), object);
    const entries = layer.finish();
    const encode = async (cuts: number[]): Promise<Buffer> => {
      const draft = createRecipeDraft();
      let at = 0;
      for (const cut of [...cuts, 6]) {
        draft.literal(new Uint8Array(0));
        draft.content(object.hash, at, cut - at);
        at = cut;
      }
      for (let i = 0; i < 10; i++) draft.literal(Buffer.of(i));
      return collect(encodeRecipe(draft, entries, () => chunksOf(new Uint8Array(0), 1)));
    };
    expect(await encode([1, 4])).toEqual(await encode([]));
    expect(await pieces(await encode([2]), index, 1e6)).toHaveLength(2);
  });

  it('holds long literals compressed and gives them back', async () => {
    const bytes = Buffer.from(Array.from({ length: 150_000 }, (_, i) => `line ${i}\n`).join(''));
    const draft = createRecipeDraft();
    for (let at = 0; at < bytes.length; at += 70_000) draft.literal(bytes.subarray(at, at + 70_000));
    const entries = createLayerDraft(DEFAULT_LAYER_LIMITS).finish();
    const recipe = await collect(encodeRecipe(draft, entries, () => chunksOf(new Uint8Array(0), 1)));
    expect(recipe.subarray(recipe.length - bytes.length).equals(bytes)).toBe(true);
  });

  it('names a reader of replaced content that gives too little', async () => {
    const layer = createLayerDraft(DEFAULT_LAYER_LIMITS);
    const draft = createRecipeDraft();
    draft.content(objectOf('gone').hash, 0, 4);
    const encode = (given: string): Promise<Buffer> =>
      collect(encodeRecipe(draft, layer.finish(), () => chunksOf(bytesOf(given), 9)));
    await expect(encode('gon')).rejects.toMatchObject({ code: 'short-content' });
    await expect(encode('gone!')).rejects.toMatchObject({ code: 'short-content' });
  });

  describe('refuses', () => {
    const whole = 1;
    const part = 3;
    it.each<[string, Buffer]>([
      ['does not begin', Buffer.from('nonsense')],
      ['does not begin', Buffer.from('shp')],
      ['ends before', Buffer.from('shprecip')],
      ['less than', handmade(5, 6, 'abc')],
      ['more than', handmade(2, 6, 'abc')],
      ['more than', handmade(3, whole)],
      ['early', handmade(5, 10, 'abc')],
      ['cut in two', handmade(4, 4, 'ab', 4, 'cd')],
      ['cut in two', handmade(0, 0)],
      ['cut in two', handmade(4, part, 0, 2, part, 2, 2)],
      ['object 1 of 1', handmade(4, 5)],
      ['ends before', handmade(4, part, 1)],
      ['bytes 0 + 4', handmade(4, part, 0, 4)],
      ['bytes 2 + 3', handmade(4, part, 2, 3)],
      ['bytes 9 + 1', handmade(4, part, 9, 1)],
      ['bytes 2 + 0', handmade(4, part, 2, 0)],
      ['padded', handmade(4, 0x81, 0)],
      ['too large', handmade(4, ...Array.from({ length: 9 }, () => 0xff))],
      ['inside a number', handmade(4, 0x81)],
    ])('a recipe that %s', async (what, recipe) => {
      const { index } = await build([file('a', 'KEPT')]);
      for (const chunk of [1, 1e6]) {
        await expect(pieces(recipe, index, chunk)).rejects.toMatchObject({ code: 'bad-recipe' });
        await expect(pieces(recipe, index, chunk)).rejects.toThrow(what);
      }
    });

    it('another version, and a tar over the limit', async () => {
      const { index } = await build([file('a', 'KEPT')]);
      const other = handmade(4, whole);
      other[8] = 2;
      await expect(pieces(other, index)).rejects.toMatchObject({ kind: 'unsupported' });
      const read = readRecipe([handmade(4, whole)], index, { ...DEFAULT_RECIPE_LIMITS, tarBytes: 3 });
      await expect(read[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'tar-too-big' });
    });

    it('changed bytes with a fault, or makes a tar of the size it says', async () => {
      const built = await build([file('a', 'one'), directory('d'), file('a', 'two'), file('b', 'three')], 2);
      const change = fc.tuple(fc.nat(built.recipe.length - 1), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
          const recipe = Buffer.from(built.recipe);
          for (const [at, value] of changes) recipe[at] = value;
          try {
            const read = await pieces(recipe, built.index);
            const size = read.reduce((sum, p) => sum + (p.kind === 'literal' ? p.bytes.length : p.length), 0);
            expect(size).toBeLessThan(recipe.length + 1000);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(Fault);
          }
        }),
        { numRuns: 1000 },
      );
    });
  });
});
