import { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import { readNode } from '../image/dag/dag-node.ts';
import { lookupLink } from '../image/dag/directory-walk.ts';
import { formatLayerIndex } from '../image/layer/index-text.ts';
import type { DagView, LayerDump } from '../observe/control/views.ts';
import type { Store } from '../store/store.ts';
import type { Swarm } from '../swarm/swarm.ts';
import { fileLeaves } from '../transfer/file-leaves.ts';
import { missingBlock } from '../transfer/stored-file.ts';
import { openStoredLayer } from '../transfer/stored-layer.ts';

const MAX_LINES = 100_000;

/**
 * One block and what it links: from here, else from a peer (it is not kept).
 * @param text a CID, perhaps with `/ipfs/` before and a path behind it
 * @throws Fault `invalid/bad-cid`, `invalid/not-a-directory`, `not-found/no-such-path`, `unavailable/no-peer-has-block`
 */
export async function dagView(
  store: Store,
  swarm: Swarm,
  text: string,
  signal: AbortSignal,
): Promise<DagView> {
  const read = async (cid: CID): Promise<Uint8Array> =>
    (await store.blocks.get(cid)) ?? (await swarm.fetcher.block(cid, { signal }));
  const cid = await follow(text, read);
  const bytes = await read(cid);
  const node = readNode(cid, bytes);
  return {
    cid: cid.toString(),
    kind: node.kind,
    size: bytes.length,
    links: node.links.map(({ name, cid: child, tsize }) => ({ name, cid: child.toString(), tsize })),
  };
}

/** A layer that is here, by the CID of its root, or by one above it and a path. */
export async function layerDump(store: Store, text: string): Promise<LayerDump> {
  const read = async (cid: CID): Promise<Uint8Array> => {
    const bytes = await store.blocks.get(cid);
    if (bytes === undefined) throw missingBlock(cid);
    return bytes;
  };
  const layer = await openStoredLayer(store, await follow(text, read));
  const lines: string[] = [];
  let truncated = false;
  for (const line of formatLayerIndex(layer.index)) {
    if (lines.length === MAX_LINES) {
      truncated = true;
      break;
    }
    lines.push(line);
  }
  const recipe = fileLeaves({ cid: layer.recipeCid, tsize: 0 }, (cid) => store.blocks.getSync(cid));
  const recipeBytes = recipe.size || (store.blocks.size(layer.recipeCid) ?? 0);
  return {
    root: layer.root.toString(),
    entries: layer.index.entryCount,
    objects: layer.index.objectCount,
    indexBytes: store.objects.info(layer.indexCid)?.size ?? 0,
    recipeBytes,
    lines,
    truncated,
  };
}

/** The CID that `<cid>/<name>/…` leads to. */
async function follow(text: string, read: (cid: CID) => Promise<Uint8Array>): Promise<CID> {
  const [root = '', ...path] = text.replace(/^\/ipfs\//, '').split('/');
  let at = parseCid(root);
  for (const name of path.filter((part) => part !== '')) {
    // The blocks of one directory: of a sharded one, those on the way to the name.
    const blocks = new Map<string, Uint8Array>();
    let found = lookupLink(at, name, (cid) => blocks.get(cid.toString()));
    while (found.kind === 'needs-block') {
      blocks.set(found.cid.toString(), await read(found.cid));
      found = lookupLink(at, name, (cid) => blocks.get(cid.toString()));
    }
    if (found.kind === 'absent') {
      throw new Fault('not-found', 'no-such-path', `there is no ${JSON.stringify(name)} in ${at}`, {
        fields: { path: text, name, block: at.toString() },
      });
    }
    at = found.link.cid;
  }
  return at;
}

function parseCid(text: string): CID {
  try {
    return CID.parse(text);
  } catch (error) {
    throw new Fault('invalid', 'bad-cid', `${JSON.stringify(text)} is no CID`, {
      cause: error,
      fields: { cid: text },
    });
  }
}
