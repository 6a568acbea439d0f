import type { CID } from 'multiformats/cid';
import { type Digest, isDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { DagLink } from './dag-block.ts';
import { directoryDag, type NamedLink } from './directory-dag.ts';
import { directoryLinks, type GetBlock, runWalk } from './directory-walk.ts';
import { DAG_PB_CODEC } from './file-dag.ts';

/** Layers of one manifest, a bound for what comes from outside; engines stop at 127. */
export const MAX_LAYERS = 4096;
/** Manifests of one index. */
export const MAX_MANIFESTS = 4096;

export interface LayerRootShape {
  readonly index: DagLink;
  readonly tar: DagLink;
  readonly tree: DagLink;
}

/**
 * Exactly `index`, `tar` and `tree`.
 * @throws Fault `corrupt/bad-root` (fields: block), `corrupt/bad-node`, `not-found/no-block` (fields: block)
 */
export function readLayerRoot(root: CID, get: GetBlock): LayerRootShape {
  const links = rootLinks(root, get, 3);
  const index = take(root, links, 'index');
  const tar = take(root, links, 'tar');
  const tree = directory(root, take(root, links, 'tree'));
  nothingElse(root, links);
  return { index, tar, tree };
}

export interface ManifestRootShape {
  readonly manifestJson: CID;
  readonly configJson?: CID;
  /** Up to the last number that is there; `undefined` where one is left out. The manifest tells how many there are. */
  readonly layers: readonly (CID | undefined)[];
}

/**
 * `manifest.json`, perhaps `config.json`, and `layers/` with decimal numbers.
 * @throws Fault `corrupt/bad-root` (fields: block), `corrupt/bad-node`, `not-found/no-block` (fields: block)
 */
export function readManifestRoot(root: CID, get: GetBlock): ManifestRootShape {
  const links = rootLinks(root, get, 3);
  const manifestJson = take(root, links, 'manifest.json').cid;
  const configJson = links.get('config.json')?.cid;
  links.delete('config.json');
  const layersRoot = directory(root, take(root, links, 'layers')).cid;
  nothingElse(root, links);
  const layers: (CID | undefined)[] = [];
  for (const [name, { cid }] of rootLinks(layersRoot, get, MAX_LAYERS)) {
    const number = Number(name);
    if (!/^(0|[1-9][0-9]{0,3})$/.test(name) || number >= MAX_LAYERS) throw unknownName(layersRoot, name);
    while (layers.length <= number) layers.push(undefined);
    layers[number] = cid;
  }
  return { manifestJson, layers, ...(configJson === undefined ? {} : { configJson }) };
}

export interface ImageRootShape {
  readonly indexJson?: CID;
  /** Manifest roots, in order of their digests' text. */
  readonly manifests: ReadonlyMap<Digest, CID>;
}

/**
 * Perhaps `index.json`, and `manifests/` with sha256 digests.
 * @throws Fault `corrupt/bad-root` (fields: block), `corrupt/bad-node`, `not-found/no-block` (fields: block)
 */
export function readImageRoot(root: CID, get: GetBlock): ImageRootShape {
  const links = rootLinks(root, get, 2);
  const indexJson = links.get('index.json')?.cid;
  links.delete('index.json');
  const manifestsRoot = directory(root, take(root, links, 'manifests')).cid;
  nothingElse(root, links);
  const manifests = new Map<Digest, CID>();
  for (const [name, link] of rootLinks(manifestsRoot, get, MAX_MANIFESTS)) {
    if (!isDigest(name)) throw unknownName(manifestsRoot, name);
    manifests.set(name, directory(manifestsRoot, link).cid);
  }
  return { manifests, ...(indexJson === undefined ? {} : { indexJson }) };
}

// Roots are pure functions of what they hold, so one that would not come out the same from its own links (another
// order of bytes, a CIDv0, mode or mtime in it) was not made by this format.
function rootLinks(root: CID, get: GetBlock, maxLinks: number): Map<string, NamedLink> {
  let links: NamedLink[];
  try {
    links = runWalk(directoryLinks(root, { maxLinks }), get);
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'invalid') throw error;
    throw badRoot(root, error.message);
  }
  if (!canonicalCid(root, links).equals(root)) throw badRoot(root, 'its bytes are not in canonical form');
  return new Map(links.map((link) => [link.name, link]));
}

function canonicalCid(root: CID, links: readonly NamedLink[]): CID {
  try {
    return directoryDag(links).cid;
  } catch (error) {
    throw badRoot(root, error instanceof Error ? error.message : String(error));
  }
}

function take(root: CID, links: Map<string, NamedLink>, name: string): DagLink {
  const link = links.get(name);
  if (link === undefined) throw badRoot(root, `it has no ${name}`);
  links.delete(name);
  return { cid: link.cid, tsize: link.tsize };
}

function directory(root: CID, link: DagLink): DagLink {
  if (link.cid.code !== DAG_PB_CODEC) throw badRoot(root, `${link.cid} in it is no directory`);
  return link;
}

function nothingElse(root: CID, links: ReadonlyMap<string, NamedLink>): void {
  for (const name of links.keys()) throw unknownName(root, name);
}

function unknownName(root: CID, name: string): Fault {
  return badRoot(root, `it holds ${JSON.stringify(name)}`);
}

function badRoot(root: CID, reason: string): Fault {
  return new Fault('corrupt', 'bad-root', `${root} is not a root of this format: ${reason}`, {
    fields: { block: root.toString() },
  });
}
