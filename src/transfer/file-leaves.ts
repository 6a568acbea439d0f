import type { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import type { DagLink } from '../image/dag/dag-block.ts';
import { readNode } from '../image/dag/dag-node.ts';
import type { GetBlock } from '../image/dag/directory-walk.ts';
import { fileDag, RAW_CODEC } from '../image/dag/file-dag.ts';
import { missingBlock } from './stored-file.ts';

export interface FileLeaves {
  /** 32 bytes a leaf, in order. */
  readonly leaves: Uint8Array;
  /** Content bytes. */
  readonly size: number;
}

const MAX_DEPTH = 8;

/**
 * The leaf hashes of a UnixFS file whose inner nodes are at hand. The file must be chunked as shp does it: its CID is
 * computed anew from the leaves.
 * @throws Fault `not-found/no-block`, `corrupt/bad-file`
 */
export function fileLeaves({ cid, tsize }: DagLink, get: GetBlock): FileLeaves {
  // a lone leaf's size is what its link says; a wrong one shows when the block comes
  if (cid.code === RAW_CODEC) return { leaves: cid.multihash.digest, size: tsize };
  const hashes: Uint8Array[] = [];
  const size = collect(cid, get, hashes, 0);
  const leaves = Buffer.concat(hashes);
  if (fileDag(size, leaves).cid.toString() === cid.toString()) return { leaves, size };
  throw badFile(cid);
}

function collect(cid: CID, get: GetBlock, hashes: Uint8Array[], depth: number): number {
  const bytes = get(cid);
  if (bytes === undefined) {
    throw missingBlock(cid);
  }
  const node = readNode(cid, bytes);
  if (node.kind !== 'file' || depth > MAX_DEPTH) throw badFile(cid);
  for (const { cid: child } of node.links) {
    if (child.code === RAW_CODEC) hashes.push(child.multihash.digest);
    else collect(child, get, hashes, depth + 1);
  }
  return node.size;
}

function badFile(cid: CID): Fault {
  return new Fault('corrupt', 'bad-file', `${cid} is no UnixFS file as shp makes it`, {
    fields: { file: cid.toString() },
  });
}
