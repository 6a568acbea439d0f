import { sha256 } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { DagBlock } from './dag-block.ts';
import { CHUNK_SIZE, type FileDag, fileDag, leafCount, rawCid } from './file-dag.ts';

/** JSON up to this is one raw block, though bigger than a chunk: its CID's sha2-256 is its digest. */
export const MAX_RAW_JSON = 1024 * 1024;
/** Bigger JSON is refused: what a registry must at least take (distribution spec, "Pushing Manifests"). */
export const MAX_JSON = 4 * 1024 * 1024;

export interface JsonFile extends FileDag {
  /** Leaves, then nodes; the root last. Leaves are views into the bytes given. */
  readonly blocks: readonly DagBlock[];
}

/**
 * The DAG of a manifest, index or config: one raw block where it fits, else a chunked file, whose CID does not hold
 * the digest.
 * @throws Fault `invalid/json-too-big` (fields: size, limit)
 */
export function jsonFile(bytes: Uint8Array): JsonFile {
  const size = bytes.length;
  if (size > MAX_JSON) {
    throw new Fault('invalid', 'json-too-big', `a JSON document of ${size} bytes: the limit is ${MAX_JSON}`, {
      fields: { size, limit: MAX_JSON },
    });
  }
  if (size <= MAX_RAW_JSON) {
    const cid = rawCid(sha256(bytes));
    return { cid, size, tsize: size, nodes: [], blocks: [{ cid, bytes }] };
  }
  const count = leafCount(size);
  const hashes = new Uint8Array(count * 32);
  const leaves: DagBlock[] = [];
  for (let leaf = 0; leaf < count; leaf++) {
    const piece = bytes.subarray(leaf * CHUNK_SIZE, (leaf + 1) * CHUNK_SIZE);
    const hash = sha256(piece);
    hashes.set(hash, leaf * 32);
    leaves.push({ cid: rawCid(hash), bytes: piece });
  }
  const dag = fileDag(size, hashes);
  return { ...dag, blocks: [...leaves, ...dag.nodes] };
}
