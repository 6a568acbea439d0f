import type { Digest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { DagLink } from './dag-block.ts';
import { type DirectoryDag, directoryDag, type NamedLink } from './directory-dag.ts';

export { type JsonFile, jsonFile, MAX_JSON, MAX_RAW_JSON } from './json-file.ts';
export {
  type ImageRootShape,
  type LayerRootShape,
  type ManifestRootShape,
  readImageRoot,
  readLayerRoot,
  readManifestRoot,
} from './root-shapes.ts';

function named(name: string, { cid, tsize }: DagLink): NamedLink {
  return { name, cid, tsize };
}

/** `index`, `tar`, `tree`; `blocks` holds the layer root's own block only. */
export function layerRoot(parts: {
  readonly index: DagLink;
  readonly tar: DagLink;
  readonly tree: DagLink;
}): DirectoryDag {
  return directoryDag([named('index', parts.index), named('tar', parts.tar), named('tree', parts.tree)]);
}

/** `blocks`: those of `layersDirectory`, then the root. */
export interface ManifestRootDag extends DirectoryDag {
  readonly layersDirectory: DirectoryDag;
}

/**
 * `manifest.json`, `config.json` where there is one, `layers/0` and so on, also where there are none.
 * @param parts.layers bottom first; `undefined` for a foreign layer without bytes, whose number is left out
 */
export function manifestRoot(parts: {
  readonly manifest: DagLink;
  readonly config?: DagLink | undefined;
  readonly layers: readonly (DagLink | undefined)[];
}): ManifestRootDag {
  const layersDirectory = directoryDag(
    parts.layers.flatMap((layer, number) => (layer === undefined ? [] : [named(String(number), layer)])),
  );
  const root = directoryDag([
    named('manifest.json', parts.manifest),
    ...(parts.config === undefined ? [] : [named('config.json', parts.config)]),
    named('layers', layersDirectory),
  ]);
  return { ...root, blocks: [...layersDirectory.blocks, ...root.blocks], layersDirectory };
}

export interface ManifestEntry {
  readonly digest: Digest;
  readonly root: DagLink;
}

/** `index.json` where there is one, and `manifests/<digest>`; `blocks` holds the manifests directory's too. */
export function imageRoot(parts: {
  readonly index?: DagLink | undefined;
  readonly manifests: readonly ManifestEntry[];
}): DirectoryDag {
  const manifests = directoryDag(parts.manifests.map(({ digest, root }) => named(digest, root)));
  const root = directoryDag([
    ...(parts.index === undefined ? [] : [named('index.json', parts.index)]),
    named('manifests', manifests),
  ]);
  return { ...root, blocks: [...manifests.blocks, ...root.blocks] };
}

export interface PublishedName {
  /** Slashes make nested directories: `c1d9bf8d8844`, `jbenet/go-ipfs:latest`. */
  readonly name: string;
  readonly root: DagLink;
}

interface NameTree {
  readonly leaves: Map<string, DagLink>;
  readonly directories: Map<string, NameTree>;
}

function emptyTree(): NameTree {
  return { leaves: new Map(), directories: new Map() };
}

/**
 * The directory that a push publishes; `blocks` holds nested directories before their parents.
 * @throws Fault `invalid/name-conflict` where a name is another one's directory, `invalid/duplicate-name`,
 *   `invalid/bad-name` (fields: name)
 */
export function publishedRoot(names: readonly PublishedName[]): DirectoryDag {
  const tree = emptyTree();
  for (const { name, root } of names) place(tree, name, root);
  return nested(tree);
}

function place(tree: NameTree, name: string, root: DagLink): void {
  const parts = name.split('/');
  const last = parts.pop() as string;
  let at = tree;
  for (const part of parts) {
    if (at.leaves.has(part)) throw conflict(name);
    let below = at.directories.get(part);
    if (below === undefined) {
      below = emptyTree();
      at.directories.set(part, below);
    }
    at = below;
  }
  if (at.directories.has(last)) throw conflict(name);
  if (at.leaves.has(last)) {
    throw new Fault('invalid', 'duplicate-name', `the name ${name} is published twice`, { fields: { name } });
  }
  at.leaves.set(last, root);
}

function nested(tree: NameTree): DirectoryDag {
  const links = [...tree.leaves].map(([name, link]) => named(name, link));
  const below = [];
  for (const [name, directory] of tree.directories) {
    const dag = nested(directory);
    below.push(...dag.blocks);
    links.push(named(name, dag));
  }
  const root = directoryDag(links);
  return { ...root, blocks: [...below, ...root.blocks] };
}

function conflict(name: string): Fault {
  return new Fault(
    'invalid',
    'name-conflict',
    `the name ${name} is another name's directory, or the reverse`,
    {
      fields: { name },
    },
  );
}
