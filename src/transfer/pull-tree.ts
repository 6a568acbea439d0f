import { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import { type GetBlock, lookupLink } from '../image/dag/directory-walk.ts';
import { RAW_CODEC } from '../image/dag/file-dag.ts';
import { readLayerRoot } from '../image/dag/image-roots.ts';
import type { Lease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import type { BlockFetcher } from '../swarm/block-fetcher.ts';
import { onlyImage } from './only-image.ts';
import { missingBlock } from './stored-file.ts';

/** Layer roots named as already here in one request. */
const MAX_HAVE = 256;

/** The blocks from a root down to all indexes of an image: directories and nodes stored, raw blocks in memory. */
export interface PulledTree {
  readonly get: GetBlock;
  readonly imageRoot: CID;
  /** The directories between the published root and the image root, the published root first. */
  readonly path: readonly CID[];
}

export interface PullTreeRequest {
  readonly root: CID;
  readonly path: readonly string[];
  readonly platform: string;
  readonly peers: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Brings the tree. Directories and inner nodes go into the store at once; raw blocks (JSON, leaves of layer indexes)
 * are held until it is known what they are: bounded by `fetch.treeMax`.
 * @throws Fault `not-found/no-such-name` where the path does not lead on
 */
export async function pullTree(
  store: Store,
  fetcher: BlockFetcher,
  lease: Lease,
  request: PullTreeRequest,
): Promise<PulledTree> {
  const raws = new Map<string, Uint8Array>();
  const get: GetBlock = (cid) => raws.get(cid.toString()) ?? store.blocks.getSync(cid);
  const { peers, ...rest } = request;
  for await (const { cid, bytes } of fetcher.tree({
    ...rest,
    ...(peers.length === 0 ? {} : { peers }),
    have: knownLayerRoots(store),
  })) {
    if (cid.code === RAW_CODEC) raws.set(cid.toString(), bytes);
    else store.blocks.put(lease, cid, bytes);
  }
  return { get, ...imageBelow(request.root, request.path, get) };
}

/** The same where all of it is here. @throws Fault `not-found/no-such-name`, `not-found/no-block` */
export function localTree(store: Store, root: CID, path: readonly string[]): PulledTree {
  const get: GetBlock = (cid) => store.blocks.getSync(cid);
  return { get, ...imageBelow(root, path, get) };
}

/** A published root without a name stands for its image where all its names lead to one. */
function imageBelow(
  root: CID,
  path: readonly string[],
  get: GetBlock,
): { imageRoot: CID; path: readonly CID[] } {
  const followed = followPath(root, path, get);
  const only = onlyImage(followed.imageRoot, get);
  return only === undefined ? followed : { imageRoot: only, path: [...followed.path, followed.imageRoot] };
}

/** @throws Fault `not-found/no-such-name`, `not-found/no-block` */
export function followPath(
  root: CID,
  path: readonly string[],
  get: GetBlock,
): { imageRoot: CID; path: CID[] } {
  const passed: CID[] = [];
  let at = root;
  for (const name of path) {
    const found = lookupLink(at, name, get);
    if (found.kind === 'absent') {
      throw new Fault(
        'not-found',
        'no-such-name',
        `/ipfs/${root}/${path.join('/')}: there is no ${JSON.stringify(name)} in ${at}`,
        {
          fields: { root: root.toString(), name },
        },
      );
    }
    if (found.kind === 'needs-block') {
      throw missingBlock(found.cid);
    }
    passed.push(at);
    at = found.link.cid;
  }
  return { imageRoot: at, path: passed };
}

/** Layers of the images used last: their indexes need not be sent again. */
function knownLayerRoots(store: Store): CID[] {
  const images = [...store.images.all()].sort((a, b) => b.usedAt - a.usedAt);
  const roots = new Map<string, CID>();
  for (const image of images) {
    for (const manifest of image.manifests) {
      for (const layer of manifest.layers) {
        if (layer.root === undefined || layer.diffId === undefined) continue;
        if (roots.size >= MAX_HAVE) return [...roots.values()];
        const root = CID.parse(layer.root);
        if (!roots.has(layer.root) && hasIndex(store, root)) roots.set(layer.root, root);
      }
    }
  }
  return [...roots.values()];
}

/** An index may have gone into quarantine. */
function hasIndex(store: Store, root: CID): boolean {
  if (!store.blocks.has(root)) return false;
  return store.objects.has(readLayerRoot(root, (cid) => store.blocks.getSync(cid)).index.cid);
}
