import { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import { readNode } from '../image/dag/dag-node.ts';
import { formatLayerIndex } from '../image/layer/index-text.ts';
import type { DagView, LayerDump } from '../observe/control/views.ts';
import type { Store } from '../store/store.ts';
import type { Swarm } from '../swarm/swarm.ts';
import { fileLeaves } from '../transfer/file-leaves.ts';
import { openStoredLayer } from '../transfer/stored-layer.ts';

const MAX_LINES = 100_000;

/** One block and what it links: from here, else from a peer (it is not kept). */
export async function dagView(
  store: Store,
  swarm: Swarm,
  text: string,
  signal: AbortSignal,
): Promise<DagView> {
  const cid = parseCid(text);
  const bytes = (await store.blocks.get(cid)) ?? (await swarm.fetcher.block(cid, { signal }));
  const node = readNode(cid, bytes);
  return {
    cid: cid.toString(),
    kind: node.kind,
    size: bytes.length,
    links: node.links.map(({ name, cid: child, tsize }) => ({ name, cid: child.toString(), tsize })),
  };
}

/** A layer that is here, by the CID of its root. */
export async function layerDump(store: Store, text: string): Promise<LayerDump> {
  const layer = await openStoredLayer(store, parseCid(text));
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

function parseCid(text: string): CID {
  try {
    return CID.parse(text.replace(/^\/ipfs\//, ''));
  } catch (error) {
    throw new Fault('invalid', 'bad-cid', `${JSON.stringify(text)} is no CID`, {
      cause: error,
      fields: { cid: text },
    });
  }
}
