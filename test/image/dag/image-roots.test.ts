import { readFileSync } from 'node:fs';
import { importer } from 'ipfs-unixfs-importer';
import type { CID } from 'multiformats/cid';
import { digestOf, digestOfBytes } from '../../../src/base/digest.ts';
import type { DagBlock } from '../../../src/image/dag/dag-block.ts';
import { directoryDag, type NamedLink } from '../../../src/image/dag/directory-dag.ts';
import { directoryLinks, lookupLink, runWalk } from '../../../src/image/dag/directory-walk.ts';
import {
  imageRoot,
  jsonFile,
  layerRoot,
  manifestRoot,
  publishedRoot,
  readImageRoot,
  readLayerRoot,
  readManifestRoot,
} from '../../../src/image/dag/image-roots.ts';
import { countingBlocks } from './counting-blocks.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../golden/dag/roots.json', import.meta.url), 'utf8'),
) as Record<string, string>;

function getFrom(...blocks: readonly DagBlock[]): (cid: CID) => Uint8Array | undefined {
  const byCid = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]));
  return (cid) => byCid.get(cid.toString());
}

const badRoot = expect.objectContaining({
  kind: 'corrupt',
  code: 'bad-root',
  fields: { block: expect.any(String) },
});

// A whole small image: every part is the text of its own name.
const text = (name: string) => jsonFile(Buffer.from(name));
const emptyTree = directoryDag([]);
const layer = (n: number) => layerRoot({ index: text(`index ${n}`), tar: text(`tar ${n}`), tree: emptyTree });
const manifest = text('{"manifest":1}');
const config = text('{"config":1}');
const layers = [layer(0), layer(1)];
const manifests = manifestRoot({ manifest, config, layers });
const digest = digestOfBytes(Buffer.from('{"manifest":1}'));
const image = imageRoot({ manifests: [{ digest, root: manifests }] });
const published = publishedRoot([
  { name: 'c1d9bf8d8844', root: image },
  { name: 'jbenet/go-ipfs', root: image },
  { name: 'jbenet/go-ipfs:latest', root: image },
]);

describe('the roots of an image', () => {
  it('have the CIDs of this format', () => {
    expect({
      layer: layers[0]?.cid.toString(),
      manifest: manifests.cid.toString(),
      manifestNoLayers: manifestRoot({ manifest, config, layers: [] }).cid.toString(),
      image: image.cid.toString(),
      imageWithIndex: imageRoot({
        index: text('{}'),
        manifests: [{ digest, root: manifests }],
      }).cid.toString(),
      published: published.cid.toString(),
    }).toEqual(golden);
  });

  it('are the directories that the importer makes of the same tree', async () => {
    const blocks = countingBlocks();
    const options = {
      cidVersion: 1,
      rawLeaves: true,
      wrapWithDirectory: true,
      shardSplitStrategy: 'links-bytes',
    } as const;
    const under = `manifests/${digest}`;
    const candidates = [
      ...[0, 1].flatMap((n) => [
        { path: `${under}/layers/${n}/index`, content: Buffer.from(`index ${n}`) },
        { path: `${under}/layers/${n}/tar`, content: Buffer.from(`tar ${n}`) },
        { path: `${under}/layers/${n}/tree` },
      ]),
      { path: `${under}/manifest.json`, content: Buffer.from('{"manifest":1}') },
      { path: `${under}/config.json`, content: Buffer.from('{"config":1}') },
    ];
    let root: { cid: CID; size: bigint } | undefined;
    for await (const result of importer(candidates, blocks, options)) root = result;
    expect(image.cid.toString()).toBe(root?.cid.toString());
    expect(image.tsize).toBe(Number(root?.size));
  });

  it('do not depend on the order in which parts are given', () => {
    const other = { digest: digestOfBytes(Buffer.from('other')), root: layer(9) };
    const both = [{ digest, root: manifests }, other];
    expect(imageRoot({ manifests: both }).cid.equals(imageRoot({ manifests: both.toReversed() }).cid)).toBe(
      true,
    );
  });

  it('carry their own blocks only, children before parents', () => {
    expect(layers[0]?.blocks.map(({ cid }) => cid.toString())).toEqual([layers[0]?.cid.toString()]);
    expect(manifests.blocks.map(({ cid }) => cid.toString())).toEqual([
      manifests.layersDirectory.cid.toString(),
      manifests.cid.toString(),
    ]);
    expect(image.blocks).toHaveLength(2);
    expect(image.blocks.at(-1)?.cid.equals(image.cid)).toBe(true);
  });

  it('give back what they were made of', () => {
    const get = getFrom(...image.blocks, ...manifests.blocks, ...layers.flatMap(({ blocks }) => blocks));
    const shape = readImageRoot(image.cid, get);
    expect(shape.indexJson).toBeUndefined();
    expect([...shape.manifests]).toEqual([[digest, manifests.cid]]);
    expect(readManifestRoot(manifests.cid, get)).toEqual({
      manifestJson: manifest.cid,
      configJson: config.cid,
      layers: layers.map(({ cid }) => cid),
    });
    expect(readLayerRoot(layers[1]!.cid, get)).toEqual({
      index: { cid: text('index 1').cid, tsize: 7 },
      tar: { cid: text('tar 1').cid, tsize: 5 },
      tree: { cid: emptyTree.cid, tsize: emptyTree.tsize },
    });
  });

  it('leave out a layer without bytes and keep the numbers of the others', () => {
    const root = manifestRoot({
      manifest,
      layers: [undefined, layers[0], undefined, ...Array(9).fill(layers[1])],
    });
    const shape = readManifestRoot(root.cid, getFrom(...root.blocks));
    expect(shape.configJson).toBeUndefined();
    expect(shape.layers.map((cid) => cid !== undefined)).toEqual([
      false,
      true,
      false,
      ...Array(9).fill(true),
    ]);
  });

  it('say which block is missing', () => {
    expect(() => readImageRoot(image.cid, () => undefined)).toThrow(
      expect.objectContaining({
        kind: 'not-found',
        code: 'no-block',
        fields: { block: image.cid.toString() },
      }),
    );
  });

  const link = (name: string, to: { cid: CID; tsize: number } = emptyTree): NamedLink => ({ name, ...to });
  const good = {
    manifest: link('manifest.json', manifest),
    layers: link('layers'),
    manifests: link('manifests'),
  };
  it.each([
    ['nothing', []],
    ['no manifest.json', [good.layers]],
    ['no layers', [good.manifest]],
    ['a strange name', [good.manifest, good.layers, link('extra')]],
    ['layers that are a file', [good.manifest, link('layers', manifest)]],
    ['more links than a root has', [good.manifest, good.layers, link('a'), link('b')]],
  ])('refuse as a manifest root one with %s', (_title, parts) => {
    const dag = directoryDag(parts);
    expect(() => readManifestRoot(dag.cid, getFrom(...dag.blocks, ...emptyTree.blocks))).toThrow(badRoot);
  });

  it.each(['01', '-1', '1e3', '0x1', '4096', 'a', '1 '])('refuse a layer numbered %j', (number) => {
    const below = directoryDag([link(number)]);
    const dag = directoryDag([good.manifest, link('layers', below)]);
    expect(() => readManifestRoot(dag.cid, getFrom(...dag.blocks, ...below.blocks))).toThrow(badRoot);
  });

  it.each(['sha256:00', 'sha512:00', digest.toUpperCase(), digestOf(new Uint8Array(32)).slice(7)])(
    'refuse a manifest named %j',
    (name) => {
      const below = directoryDag([link(name)]);
      const dag = directoryDag([link('manifests', below)]);
      expect(() => readImageRoot(dag.cid, getFrom(...dag.blocks, ...below.blocks))).toThrow(badRoot);
    },
  );

  it('refuse a raw block as a manifest root', () => {
    const below = directoryDag([link(digest, manifest)]);
    const dag = directoryDag([link('manifests', below)]);
    expect(() => readImageRoot(dag.cid, getFrom(...dag.blocks, ...below.blocks))).toThrow(badRoot);
  });

  it('refuse a layer root that lacks a part, holds another, or whose tree is a file', () => {
    const index = link('index', text('i'));
    const tar = link('tar', text('t'));
    for (const parts of [
      [index, tar],
      [index, tar, link('tree', text('x'))],
      [index, tar, link('Tree')],
    ]) {
      const dag = directoryDag(parts);
      expect(() => readLayerRoot(dag.cid, getFrom(...dag.blocks))).toThrow(badRoot);
    }
    expect(() => readLayerRoot(manifest.cid, () => Buffer.from('{"manifest":1}'))).toThrow(badRoot);
  });
});

describe('a published root', () => {
  it('makes directories of slashes', () => {
    const get = getFrom(...published.blocks);
    expect(lookupLink(published.cid, 'c1d9bf8d8844', get)).toMatchObject({
      kind: 'found',
      link: { cid: image.cid },
    });
    const nested = lookupLink(published.cid, 'jbenet', get);
    if (nested.kind !== 'found') throw new Error('jbenet is not there');
    expect(runWalk(directoryLinks(nested.link.cid), get).map(({ name }) => name)).toEqual([
      'go-ipfs',
      'go-ipfs:latest',
    ]);
  });

  it.each([[['a', 'a/b']], [['a/b', 'a']], [['x/y/z', 'x/y']]])(
    'refuses %j: a name that is another one’s directory',
    (names) => {
      expect(() => publishedRoot(names.map((name) => ({ name, root: image })))).toThrow(
        expect.objectContaining({ kind: 'invalid', code: 'name-conflict' }),
      );
    },
  );

  it('takes a name beside a directory that begins with it', () => {
    const root = publishedRoot(['a:latest', 'a/b', 'a-c'].map((name) => ({ name, root: image })));
    expect(root.blocks).toHaveLength(2);
  });

  it('refuses a name twice', () => {
    expect(() => publishedRoot(['a/b', 'a/b'].map((name) => ({ name, root: image })))).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'duplicate-name' }),
    );
  });

  it.each(['', '/a', 'a/', 'a//b', '../a', 'a/..', './a'])('refuses the name %j', (name) => {
    expect(() => publishedRoot([{ name, root: image }])).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'bad-name' }),
    );
  });
});

describe('a JSON file', () => {
  it('up to 1 MiB is one raw block, whose hash is the digest', () => {
    const bytes = Buffer.alloc(1024 * 1024, ' ');
    const file = jsonFile(bytes);
    expect(file.cid.code).toBe(0x55);
    expect(digestOf(file.cid.multihash.digest)).toBe(digestOfBytes(bytes));
    expect(file).toMatchObject({ size: bytes.length, tsize: bytes.length, nodes: [] });
    expect(file.blocks.map(({ bytes: held }) => held)).toEqual([bytes]);
  });

  it('up to 4 MiB is a chunked file', () => {
    const file = jsonFile(Buffer.alloc(4 * 1024 * 1024, ' '));
    expect(file.cid.code).toBe(0x70);
    expect(file.blocks).toHaveLength(17);
    expect(file.blocks.at(-1)?.cid.equals(file.cid)).toBe(true);
  });

  it('bigger is refused', () => {
    expect(() => jsonFile(Buffer.alloc(4 * 1024 * 1024 + 1))).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'json-too-big' }),
    );
  });
});
