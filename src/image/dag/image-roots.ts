import type { CID } from 'multiformats/cid';
import type { Digest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { DagBlock, DagLink } from './dag-block.ts';
import type { DirectoryDag } from './directory-dag.ts';
import type { GetBlock } from './directory-walk.ts';
import type { FileDag } from './file-dag.ts';

/** `index`, `tar`, `tree`; `blocks` holds the layer root's own block only. */
export function layerRoot(_parts: {
  readonly index: DagLink;
  readonly tar: DagLink;
  readonly tree: DagLink;
}): DirectoryDag {
  throw new Fault('internal', 'unfinished', 'layerRoot');
}

/** `blocks`: those of `layersDirectory`, then the root. */
export interface ManifestRootDag extends DirectoryDag {
  readonly layersDirectory: DirectoryDag;
}

/** @param parts.layers bottom first; `undefined` for a foreign layer without bytes, whose number is left out */
export function manifestRoot(_parts: {
  readonly manifest: DagLink;
  readonly config?: DagLink | undefined;
  readonly layers: readonly (DagLink | undefined)[];
}): ManifestRootDag {
  throw new Fault('internal', 'unfinished', 'manifestRoot');
}

export interface ManifestEntry {
  readonly digest: Digest;
  readonly root: DagLink;
}

/** `index.json` where there is one, and `manifests/<digest>`; `blocks` holds the manifests directory's too. */
export function imageRoot(_parts: {
  readonly index?: DagLink | undefined;
  readonly manifests: readonly ManifestEntry[];
}): DirectoryDag {
  throw new Fault('internal', 'unfinished', 'imageRoot');
}

export interface PublishedName {
  /** Slashes make nested directories. */
  readonly name: string;
  readonly root: DagLink;
}

/** @throws Fault `invalid/name-conflict` where a name is another one's directory, `invalid/duplicate-name`, `invalid/bad-name` */
export function publishedRoot(_names: readonly PublishedName[]): DirectoryDag {
  throw new Fault('internal', 'unfinished', 'publishedRoot');
}

/** JSON up to this is one raw block, so that its CID's sha2-256 is its digest. */
export const MAX_RAW_JSON = 1024 * 1024;
/** Bigger JSON is refused: the distribution specification's floor. */
export const MAX_JSON = 4 * 1024 * 1024;

export interface JsonFile extends FileDag {
  /** Leaves and nodes, children before parents. */
  readonly blocks: readonly DagBlock[];
}

/** @throws Fault `invalid/json-too-big` */
export function jsonFile(_bytes: Uint8Array): JsonFile {
  throw new Fault('internal', 'unfinished', 'jsonFile');
}

export interface LayerRootShape {
  readonly index: DagLink;
  readonly tar: DagLink;
  readonly tree: DagLink;
}

/** @throws Fault `corrupt/bad-root` (fields: block), `not-found/no-block` (fields: block) */
export function readLayerRoot(_root: CID, _get: GetBlock): LayerRootShape {
  throw new Fault('internal', 'unfinished', 'readLayerRoot');
}

export interface ManifestRootShape {
  readonly manifestJson: CID;
  readonly configJson?: CID;
  /** Up to the last number that is there; `undefined` where one is left out. The manifest tells how many there are. */
  readonly layers: readonly (CID | undefined)[];
}

/** @throws Fault `corrupt/bad-root` (fields: block), `not-found/no-block` (fields: block) */
export function readManifestRoot(_root: CID, _get: GetBlock): ManifestRootShape {
  throw new Fault('internal', 'unfinished', 'readManifestRoot');
}

export interface ImageRootShape {
  readonly indexJson?: CID;
  readonly manifests: ReadonlyMap<Digest, CID>;
}

/** @throws Fault `corrupt/bad-root` (fields: block), `not-found/no-block` (fields: block) */
export function readImageRoot(_root: CID, _get: GetBlock): ImageRootShape {
  throw new Fault('internal', 'unfinished', 'readImageRoot');
}
