import type { CID } from 'multiformats/cid';
import { varintLength, writeVarint } from '../../src/base/varint.ts';
import { decodeLayerIndex } from '../../src/image/layer/index-codec.ts';
import { type RecipePiece, readRecipe } from '../../src/image/layer/recipe-reader.ts';
import { bytesOf } from '../store/store-fixture.ts';
import type { BuiltImage } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { layerParts, ofImage, suiteForger } from './support/forged-image.ts';
import { evil, genuine, imageOfEntries, other, pushedTo } from './support/genuine-image.ts';
import { suitePair } from './support/suite-stations.ts';
import { expectEmpty, faultOf } from './support/two-stations.ts';

// Its hooks first: what it holds must be let go before the stations are looked at.
const forger = suiteForger(() => a.store);
const { a, b } = suitePair();

const pushed = (built: BuiltImage) => pushedTo(a, built);

/** Refused first, and again after the genuine image came; which comes rightly both before and after. */
async function expectRefused(root: string, genuineRoot: string, expected: object): Promise<void> {
  expect(await faultOf(b.pull(root))).toMatchObject(expected);
  await expectEmpty(b);
  const { record } = await b.pull(genuineRoot);
  expect((await b.verify(record)).problems).toEqual([]);
  expect(await faultOf(b.pull(root))).toMatchObject(expected);
  expect([...b.store.images.all()].map((one) => one.root)).toEqual([genuineRoot]);
  expect((await b.verify(record)).problems).toEqual([]);
}

async function pieces(parts: ReturnType<typeof layerParts>): Promise<{ size: number; all: RecipePiece[] }> {
  const read = async (cid: CID): Promise<Buffer> => {
    const size = a.store.objects.info(cid)?.size;
    if (size !== undefined) return a.store.objects.read(cid, 0, size);
    return Buffer.from((await a.store.blocks.get(cid)) as Uint8Array);
  };
  const index = decodeLayerIndex(await read(parts.index.cid));
  const all: RecipePiece[] = [];
  for await (const piece of readRecipe([await read(parts.tar.cid)], index)) {
    all.push(piece.kind === 'literal' ? { ...piece, bytes: Buffer.from(piece.bytes) } : piece);
  }
  const size = all.reduce(
    (sum, piece) => sum + (piece.kind === 'literal' ? piece.bytes.length : piece.length),
    0,
  );
  return { size, all };
}

function recipeOf(size: number, all: readonly RecipePiece[], wholes: ReadonlySet<RecipePiece>): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(varintLength(value));
    writeVarint(bytes, 0, value);
    return bytes;
  };
  return Buffer.concat([
    Buffer.from('shprecip'),
    number(1),
    number(size),
    ...all.flatMap((piece) => {
      if (piece.kind === 'literal') return [number(piece.bytes.length * 2), Buffer.from(piece.bytes)];
      if (wholes.has(piece)) return [number(piece.object * 4 + 1)];
      return [number(piece.object * 4 + 3), number(piece.offset), number(piece.length)];
    }),
  ]);
}

describe('a pull refuses', () => {
  it('a foreign diffID over an own layer, in both orders', async () => {
    const mine = await pushed(other);
    const { root } = await pushed(genuine);
    const forged = await forger.image(ofImage(genuine, [mine.link]));
    await expectRefused(forged, root, {
      kind: 'corrupt',
      code: 'diffid-mismatch',
      fields: { claimed: genuine.diffIds[0], found: other.diffIds[0], layer: mine.layer },
    });
    // the image whose layer it really is comes too
    const { record } = await b.pull(mine.root);
    expect((await b.verify(record)).problems).toEqual([]);
  });

  it('a genuine recipe beside an index that lies', async () => {
    const { root, layer } = await pushed(genuine);
    const lie = await pushed(evil);
    const parts = layerParts(a.store, layer);
    const forged = forger.layer({ ...parts, index: layerParts(a.store, lie.layer).index });
    await expectRefused(await forger.image(ofImage(genuine, [forged])), root, {
      kind: 'corrupt',
      code: 'layer-root-mismatch',
      fields: { layer: forged.cid.toString(), found: layer, diffId: genuine.diffIds[0] },
    });
  });

  it('a tree that the index does not describe', async () => {
    const { root, layer } = await pushed(genuine);
    const foreign = layerParts(a.store, (await pushed(other)).layer);
    const forged = forger.layer({ ...layerParts(a.store, layer), tree: foreign.tree });
    await expectRefused(await forger.image(ofImage(genuine, [forged])), root, {
      kind: 'corrupt',
      code: 'tree-mismatch',
      fields: { layer: forged.cid.toString() },
    });
  });

  it('a recipe of another layer', async () => {
    const { root, layer } = await pushed(genuine);
    const foreign = layerParts(a.store, (await pushed(other)).layer);
    const forged = forger.layer({ ...layerParts(a.store, layer), tar: foreign.tar });
    await expectRefused(await forger.image(ofImage(genuine, [forged])), root, { kind: 'corrupt' });
  });

  it('an index with any byte changed', async () => {
    const { root, layer } = await pushed(genuine);
    const parts = layerParts(a.store, layer);
    const bytes = await a.store.objects.read(parts.index.cid, 0, 1e6);
    for (let at = 0; at < bytes.length; at += 41) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      const forged = forger.layer({ ...parts, index: forger.file(changed) });
      const fault = await faultOf(b.pull(await forger.image(ofImage(genuine, [forged]))));
      expect({ at, kind: fault.kind }).toMatchObject({
        at,
        kind: expect.stringMatching(/^(corrupt|invalid|unsupported|unavailable)$/),
      });
    }
    await expectEmpty(b);
    expect((await b.verify((await b.pull(root)).record)).problems).toEqual([]);
  });

  it('a recipe that takes content from where no import takes it', async () => {
    const twins = imageOfEntries(
      file('a', Buffer.alloc(900, 'A')),
      file('b', Buffer.alloc(2000, 'A')),
      file('c', Buffer.alloc(512)),
    );
    const { root, layer } = await pushed(twins);
    const parts = layerParts(a.store, layer);
    const { size, all } = await pieces(parts);
    const wholes = new Set(all);
    const at = all.findIndex((piece) => piece.kind === 'object' && piece.length === 900);
    const long = all.find((piece) => piece.kind === 'object' && piece.length === 2000) as RecipePiece & {
      object: number;
    };
    const stray = all.with(at, { kind: 'object', object: long.object, offset: 7, length: 900 });
    const strayRecipe = forger.file(recipeOf(size, stray, wholes));
    await expectRefused(
      await forger.image(ofImage(twins, [forger.layer({ ...parts, tar: strayRecipe })])),
      root,
      { kind: 'corrupt', code: 'bad-recipe' },
    );

    // the end marker out of a file of zeros: the same tar, but no import makes that recipe
    const zeros = all.find((piece) => piece.kind === 'object' && piece.length === 512) as RecipePiece;
    const last = all.at(-1) as RecipePiece & { bytes: Uint8Array };
    const cut = [
      ...all.slice(0, -1),
      { kind: 'literal', bytes: last.bytes.subarray(0, last.bytes.length - 512) } as const,
      zeros,
    ];
    const cutRecipe = forger.file(recipeOf(size, cut, wholes));
    const forged = forger.layer({ ...parts, tar: cutRecipe });
    expect(await faultOf(b.pull(await forger.image(ofImage(twins, [forged]))))).toMatchObject({
      kind: 'corrupt',
      code: 'layer-root-mismatch',
    });
  });

  it('a tar that its limits would not let in', async () => {
    const { root } = await pushed(imageOfEntries(file('new', bytesOf(5, 150_000))));
    const { limits } = b.settings;
    b.settings.limits = { ...limits, layerSize: 100_000 };
    try {
      expect(await faultOf(b.pull(root))).toMatchObject({ kind: 'invalid', code: 'layer-too-big' });
    } finally {
      b.settings.limits = limits;
    }
    await expectEmpty(b);
  });
});
