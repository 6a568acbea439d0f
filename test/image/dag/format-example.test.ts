import { readFileSync } from 'node:fs';
import { digestOfBytes } from '../../../src/base/digest.ts';
import { dagLinks } from '../../../src/image/dag/dag-node.ts';
import { createFileHasher, type HashedFile } from '../../../src/image/dag/file-hasher.ts';
import {
  imageRoot,
  type JsonFile,
  jsonFile,
  layerRoot,
  manifestRoot,
  publishedRoot,
} from '../../../src/image/dag/image-roots.ts';
import { decodeLayerIndex, encodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import { createLayerDraft } from '../../../src/image/layer/layer-draft.ts';
import { DEFAULT_LAYER_LIMITS } from '../../../src/image/layer/layer-limits.ts';
import { layerTree } from '../../../src/image/layer/layer-tree.ts';
import { createRecipeDraft } from '../../../src/image/layer/recipe-draft.ts';
import { encodeRecipe } from '../../../src/image/layer/tar-recipe.ts';
import { canonicalManifest } from '../../../src/image/oci/canonical-manifest.ts';
import type { TarEntry } from '../../../src/image/tar/tar-entry.ts';
import { DEFAULT_TAR_LIMITS } from '../../../src/image/tar/tar-limits.ts';
import { createTarReader } from '../../../src/image/tar/tar-reader.ts';

const golden = (name: string): Buffer => readFileSync(new URL(`../../golden/dag/${name}`, import.meta.url));
const page = readFileSync(new URL('../../../docs/dag-format.md', import.meta.url), 'utf8');

/** Value of a row `| name | `value` | …` of the page's table of the example. */
function stated(name: string): string | undefined {
  return new RegExp(`^\\| ${name} \\| \`([^\`]+)\``, 'm').exec(page)?.[1];
}

function file(bytes: Uint8Array): HashedFile {
  const hasher = createFileHasher();
  hasher.update(bytes);
  return hasher.finish();
}

/** Index and recipe of a tar without sparse files, whose every content is kept. */
async function layerOf(tar: Uint8Array): Promise<{ index: Uint8Array; recipe: Uint8Array }> {
  const draft = createLayerDraft(DEFAULT_LAYER_LIMITS);
  const recipe = createRecipeDraft();
  let open: { entry: TarEntry; content: Buffer[] } | undefined;
  const reader = createTarReader(
    {
      literal: (bytes) => recipe.literal(bytes),
      entry: (entry) => {
        open = { entry, content: [] };
      },
      content: (bytes) => open?.content.push(Buffer.from(bytes)),
      entryEnd: () => {
        if (open === undefined) return;
        const content = Buffer.concat(open.content);
        const { hash } = file(content);
        draft.add(open.entry, open.entry.type === 'file' ? { hash, size: content.length } : undefined);
        recipe.content(hash, 0, content.length);
      },
    },
    DEFAULT_TAR_LIMITS,
  );
  reader.push(tar);
  reader.end();
  const entries = draft.finish();
  const parts: Uint8Array[] = [];
  const none = async function* (): AsyncIterable<Uint8Array> {};
  for await (const part of encodeRecipe(recipe, entries, none)) parts.push(part);
  return { index: encodeLayerIndex(entries), recipe: Buffer.concat(parts) };
}

describe('the example of docs/dag-format.md', () => {
  const tar = golden('example.tar');

  it('has the index and the recipe of the golden files', async () => {
    const { index, recipe } = await layerOf(tar);
    expect(Buffer.from(index).equals(golden('example.index'))).toBe(true);
    expect(Buffer.from(recipe).equals(golden('example.recipe'))).toBe(true);
  });

  it('has the digests and CIDs that the page states', () => {
    const diffId = digestOfBytes(tar);
    const index = file(golden('example.index'));
    const recipe = file(golden('example.recipe'));
    const tree = layerTree(decodeLayerIndex(golden('example.index')));
    const layer = layerRoot({ index: index.dag, tar: recipe.dag, tree });
    const config = Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: [diffId] },
      }),
    );
    const imageId = digestOfBytes(config);
    const manifest = canonicalManifest({ digest: imageId, size: config.length }, [
      { diffId, size: tar.length },
    ]);
    const digest = digestOfBytes(manifest);
    const manifests = manifestRoot({
      manifest: jsonFile(manifest),
      config: jsonFile(config),
      layers: [layer],
    });
    const image = imageRoot({ manifests: [{ digest, root: manifests }] });
    const published = publishedRoot(
      [imageId.slice(7, 19), digest.slice(7, 19), 'example', 'example:latest'].map((name) => ({
        name,
        root: image,
      })),
    );
    const made: Record<string, string> = {
      diffID: diffId,
      index: index.cid.toString(),
      tar: recipe.cid.toString(),
      tree: tree.cid.toString(),
      'layer root': layer.cid.toString(),
      config: config.toString(),
      'image ID': imageId,
      manifest: manifest.toString(),
      'manifest digest': digest,
      'manifest root': manifests.cid.toString(),
      'image root': image.cid.toString(),
      'published root': published.cid.toString(),
    };
    expect(Object.fromEntries(Object.keys(made).map((name) => [name, stated(name)]))).toEqual(made);
  });

  it('needs nothing beyond what a recursive pin of its image root reaches', () => {
    const index = decodeLayerIndex(golden('example.index'));
    const [indexFile, recipeFile, motd] = [
      golden('example.index'),
      golden('example.recipe'),
      'hello world\n',
    ].map((bytes) => jsonFile(Buffer.from(bytes))) as [JsonFile, JsonFile, JsonFile];
    const tree = layerTree(index);
    const layer = layerRoot({ index: indexFile, tar: recipeFile, tree });
    const [manifest, config] = [jsonFile(Buffer.from('{}')), jsonFile(Buffer.from('{"a":1}'))];
    const root = manifestRoot({ manifest, config, layers: [layer] });
    const image = imageRoot({ manifests: [{ digest: digestOfBytes(Buffer.from('{}')), root }] });
    const parts = [image, root, layer, tree, indexFile, recipeFile, motd, manifest, config];
    const blocks = new Map(
      parts.flatMap((part) => part.blocks).map(({ cid, bytes }) => [cid.toString(), bytes]),
    );
    const reached = new Set<string>();
    const ahead = [image.cid];
    for (let cid = ahead.pop(); cid !== undefined; cid = ahead.pop()) {
      reached.add(cid.toString());
      ahead.push(...dagLinks(cid, blocks.get(cid.toString())!));
    }
    expect([...reached].sort()).toEqual([...blocks.keys()].sort());
    expect(index.objectCid(0).toString()).toBe(motd.cid.toString());
  });

  it('lists the golden CIDs of directories', () => {
    const directories = JSON.parse(golden('directories.json').toString()) as { names: number; cid: string }[];
    for (const { names, cid } of directories)
      expect(stated(`${names.toLocaleString('en-US')} names`)).toBe(cid);
  });
});
