import { CID } from 'multiformats/cid';
import type { Digest } from '../../src/base/digest.ts';
import { varintLength, writeVarint } from '../../src/base/varint.ts';
import type { DagLink } from '../../src/image/dag/dag-block.ts';
import { publishedRoot } from '../../src/image/dag/image-roots.ts';
import { decodeLayerIndex } from '../../src/image/layer/index-codec.ts';
import { type RecipePiece, readRecipe } from '../../src/image/layer/recipe-reader.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { type BuiltImage, buildImage, dockerArchive, sha256Digest } from '../support/image-archive.ts';
import { file, type LayerEntry } from '../support/layer-tar.ts';
import { createForger, type Forger, type Forgery, layerParts, ofImage } from './support/forged-image.ts';
import { attestation, descriptorOf, json } from './support/images.ts';
import { clear, expectEmpty, faultOf, type TransferStation, twoStations } from './support/two-stations.ts';

let pair: Awaited<ReturnType<typeof twoStations>>;
let a: TransferStation;
let b: TransferStation;
beforeAll(async () => {
  pair = await twoStations();
  ({ a, b } = pair);
});
afterAll(() => pair[Symbol.asyncDispose]());
let forger: Forger;
beforeEach(() => {
  forger = createForger(a.store);
});
afterEach(async () => {
  forger.end();
  await clear(b);
  await clear(a);
});

const image = (...entries: LayerEntry[]): BuiltImage =>
  buildImage({ architecture: 'amd64', layers: [entries] });

const genuine = image(file('bin/su', bytesOf(1, 300_000), { mode: 0o755 }), file('etc/x', 'x'));
const evil = image(file('bin/su', bytesOf(1, 300_000), { mode: 0o4755 }), file('etc/x', 'x'));
const other = image(file('bin/su', bytesOf(2, 1000)), file('etc/y', 'y'));

async function pushed(built: BuiltImage): Promise<{ root: string; layer: string; link: DagLink }> {
  const { record } = await a.push(dockerArchive([built]));
  const layer = record.manifests[0]!.layers[0]!.root as string;
  return { root: record.root, layer, link: linkTo(layer) };
}

/** Tsizes are not looked at by who pulls; a true one needs the whole DAG. */
const linkTo = (cid: string): DagLink => ({ cid: CID.parse(cid), tsize: 1 });

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
    const twins = image(
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

  it('a manifest or a config that is not what its name says', async () => {
    const { root, link } = await pushed(genuine);
    const cases: [Forgery, object][] = [
      [
        {
          ...ofImage(genuine, [link]),
          manifest: Buffer.from(`${genuine.manifest} `),
          digest: genuine.manifestDigest,
        },
        { kind: 'corrupt', code: 'digest-mismatch', fields: { claimed: genuine.manifestDigest } },
      ],
      [
        { ...ofImage(genuine, [link]), config: other.config },
        { kind: 'corrupt', code: 'digest-mismatch', fields: { claimed: genuine.imageId } },
      ],
      [ofImage(genuine, []), { kind: 'corrupt', code: 'bad-root' }],
      [ofImage(genuine, [undefined, link]), { kind: 'corrupt', code: 'bad-root' }],
      [
        { ...ofImage(genuine, [link]), manifest: Buffer.from('{}') },
        { kind: 'invalid', code: 'bad-document' },
      ],
      [
        { ...ofImage(genuine, [link]), manifest: Buffer.from('[[') },
        { kind: 'invalid', code: 'bad-json' },
      ],
    ];
    for (const [forgery, expected] of cases) {
      expect(await faultOf(b.pull(await forger.image(forgery)))).toMatchObject(expected);
      await expectEmpty(b);
    }
    expect((await b.verify((await b.pull(root)).record)).problems).toEqual([]);
  });

  it("another blob in the place of an attestation's", async () => {
    const proof = attestation(genuine);
    for (const bytes of [Buffer.alloc(proof.statement.length, 'x'), Buffer.from('short')]) {
      const forged = await forger.image({
        manifest: proof.manifest,
        config: proof.blobs[0] as Buffer,
        layers: [forger.file(bytes)],
      });
      const fault = await faultOf(b.pull(forged, { platform: 'all' }));
      expect(fault.kind).toBe('corrupt');
      await expectEmpty(b);
    }
    const note = Buffer.from('a signature');
    const manifest = json({
      schemaVersion: 2,
      config: descriptorOf('application/vnd.oci.empty.v1+json', Buffer.from('{}')),
      layers: [descriptorOf('application/x-signature', note)],
    });
    const forged = await forger.image({
      manifest,
      config: Buffer.from('{}'),
      layers: [forger.file(Buffer.from('A signature'))],
    });
    expect(await faultOf(b.pull(forged))).toMatchObject({
      kind: 'corrupt',
      code: 'digest-mismatch',
      fields: { claimed: sha256Digest(note) },
    });
  });

  it('an image that a station gives out under the id of another', async () => {
    const { root } = await pushed(genuine);
    const stranger = await pushed(other);
    const record = a.store.images.get(stranger.root)!;
    const { imageId, digest } = a.store.images.get(root)!.manifests[0]!;
    // the station has the genuine config, and so the proof that it knows the id
    await a.store.images.put({
      ...record,
      manifests: record.manifests.map((manifest) => ({ ...manifest, imageId, digest })),
    });
    await a.store.images.remove(root);
    for (const id of [genuine.imageId, genuine.manifestDigest]) {
      const fault = await faultOf(b.pull(id.slice(7)));
      expect(fault.kind).toMatch(/^(corrupt|not-found)$/);
      await expectEmpty(b);
    }
  });

  it('counts beyond its limits', async () => {
    const { link } = await pushed(genuine);
    const layers = Array.from({ length: 600 }, () => genuine.layers[0]!);
    const many = { ...genuine, layers, diffIds: layers.map(({ diffId }) => diffId) };
    const config = json({
      ...JSON.parse(genuine.config.toString()),
      rootfs: { type: 'layers', diff_ids: many.diffIds },
    });
    const manifest = json({
      schemaVersion: 2,
      mediaType: genuine.manifestMediaType,
      config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map(({ mediaType, blob }) => descriptorOf(mediaType, blob)),
    });
    const tooMany = await forger.image({ manifest, config, layers: layers.map(() => link) });
    expect(await faultOf(b.pull(tooMany))).toMatchObject({ kind: 'invalid', code: 'too-many-layers' });

    const others = Array.from({ length: 300 }, (_, i) => ({
      digest: sha256Digest(Buffer.from(`${i}`)) as Digest,
      root: link,
    }));
    const crowd = await forger.image({ ...ofImage(genuine, [link]), others });
    expect(await faultOf(b.pull(crowd))).toMatchObject({
      kind: expect.stringMatching(/^(invalid|not-found)$/),
    });
    await expectEmpty(b);
  });

  it('a tar that its limits would not let in', async () => {
    const { root } = await pushed(image(file('new', bytesOf(5, 150_000))));
    const { limits } = b.settings;
    b.settings.limits = { ...limits, layerSize: 100_000 };
    try {
      expect(await faultOf(b.pull(root))).toMatchObject({ kind: 'invalid', code: 'layer-too-big' });
    } finally {
      b.settings.limits = limits;
    }
    await expectEmpty(b);
  });

  it('an address that leads nowhere, or to no image', async () => {
    const { root } = await pushed(genuine);
    const record = a.store.images.get(root)!;
    const published = record.publishedRoots[0] as string;
    for (const reference of [`/ipfs/${published}/nothing`, record.manifests[0]!.layers[0]!.root as string]) {
      const fault = await faultOf(b.pull(reference));
      expect(`${fault.kind} ${fault.code}: ${fault.message}`).toMatch(/^(not-found|corrupt|invalid)/);
      await expectEmpty(b);
    }
  });

  it('to pin a published root that lists more than the image', async () => {
    const { root } = await pushed(genuine);
    const stranger = await pushed(other);
    const published = publishedRoot([
      { name: 'genuine', root: linkTo(root) },
      { name: 'more/other', root: linkTo(stranger.root) },
    ]);
    published.blocks.forEach(forger.block);
    const record = a.store.images.get(root)!;
    await a.store.images.put({
      ...record,
      publishedRoots: [...record.publishedRoots, published.cid.toString()],
    });
    const pulled = await b.pull(`/ipfs/${published.cid}/genuine`);
    expect(pulled.record.root).toBe(root);
    expect(pulled.address).toBe(`/ipfs/${published.cid}/genuine`);
    expect(pulled.record.publishedRoots).toEqual([]);
    await b.store.gc();
    expect(b.store.blocks.has(CID.parse(stranger.root))).toBe(false);
    expect(await faultOf(b.pull(`/ipfs/${published.cid}`))).toMatchObject({
      kind: expect.stringMatching(/not-found|corrupt/),
    });
  });
});
