import { CID } from 'multiformats/cid';
import { create as multihash } from 'multiformats/hashes/digest';
import { sha256 } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { DagBlock } from './dag-block.ts';
import { type DagPbLink, encodeDagPb } from './dag-pb.ts';
import { encodeFileData } from './unixfs-data.ts';

/** Bytes of every leaf but the last: `ipfs add`'s chunker `size-262144`. */
export const CHUNK_SIZE = 262_144;

/** Links of an inner node: what Kubo's balanced layout takes (8 KiB of roughly 47-byte links). */
export const FILE_WIDTH = 174;

export const RAW_CODEC = 0x55;
export const DAG_PB_CODEC = 0x70;
export const SHA2_256 = 0x12;

/** CIDv1, raw codec. @param hash 32 bytes sha2-256; kept, not copied */
export function rawCid(hash: Uint8Array): CID {
  return CID.createV1(RAW_CODEC, multihash(SHA2_256, hash));
}

/** CIDv1, dag-pb codec. @param hash 32 bytes sha2-256; kept, not copied */
export function dagPbCid(hash: Uint8Array): CID {
  return CID.createV1(DAG_PB_CODEC, multihash(SHA2_256, hash));
}

/** An object's CID: a file of at most one chunk is one raw block. @param hash sha2-256 of its UnixFS root */
export function objectCid(size: number, hash: Uint8Array): CID {
  return size <= CHUNK_SIZE ? rawCid(hash) : dagPbCid(hash);
}

/** A file's UnixFS DAG without its leaves. */
export interface FileDag {
  readonly cid: CID;
  /** Content bytes. */
  readonly size: number;
  /** Cumulative, as dag-pb counts: content and inner nodes. */
  readonly tsize: number;
  /** Inner nodes, children before parents, the root last; empty where the file is one raw block. */
  readonly nodes: readonly DagBlock[];
}

/** Leaves of a file of `size` bytes: an empty file has one, empty. */
export function leafCount(size: number): number {
  return Math.max(1, Math.ceil(size / CHUNK_SIZE));
}

/**
 * The balanced UnixFS DAG that `ipfs add --cid-version=1` makes of a file with these raw leaves.
 * @param leaves 32 bytes (sha2-256) a leaf, in order
 * @throws Fault `invalid/leaf-count` when there are not exactly {@link leafCount} of them
 */
export function fileDag(size: number, leaves: Uint8Array): FileDag {
  const count = leafCount(size);
  if (!Number.isSafeInteger(size) || size < 0 || leaves.length !== count * 32) {
    throw new Fault(
      'invalid',
      'leaf-count',
      `a file of ${size} bytes has ${count} leaves, not ${leaves.length / 32}`,
      {
        fields: { size, leaves: leaves.length / 32 },
      },
    );
  }
  if (count === 1) return { cid: rawCid(new Uint8Array(leaves)), size, tsize: size, nodes: [] };
  const nodes: DagBlock[] = [];
  let level = leafLevel(size, leaves, count);
  while (level.count > 1) level = parentLevel(level, nodes);
  return { cid: (nodes.at(-1) as DagBlock).cid, size, tsize: level.tsizes[0] as number, nodes };
}

/** One level of the tree in columns: a file of 1 TiB has 4 million leaves. */
interface Level {
  readonly count: number;
  /** 36 bytes each. */
  readonly cids: Uint8Array;
  /** Content bytes below. */
  readonly sizes: Float64Array;
  readonly tsizes: Float64Array;
}

const CID_LENGTH = 36;
const NO_NAME = new Uint8Array(0);

function leafLevel(size: number, leaves: Uint8Array, count: number): Level {
  const cids = new Uint8Array(count * CID_LENGTH);
  const sizes = new Float64Array(count).fill(CHUNK_SIZE);
  sizes[count - 1] = size - (count - 1) * CHUNK_SIZE;
  for (let leaf = 0; leaf < count; leaf++) {
    const at = leaf * CID_LENGTH;
    // CIDv1, codec, sha2-256, 32 bytes: each a one-byte varint.
    cids[at] = 1;
    cids[at + 1] = RAW_CODEC;
    cids[at + 2] = SHA2_256;
    cids[at + 3] = 32;
    cids.set(leaves.subarray(leaf * 32, leaf * 32 + 32), at + 4);
  }
  return { count, cids, sizes, tsizes: sizes };
}

function parentLevel(level: Level, nodes: DagBlock[]): Level {
  const count = Math.ceil(level.count / FILE_WIDTH);
  const cids = new Uint8Array(count * CID_LENGTH);
  const sizes = new Float64Array(count);
  const tsizes = new Float64Array(count);
  for (let parent = 0; parent < count; parent++) {
    const links: DagPbLink[] = [];
    const first = parent * FILE_WIDTH;
    const end = Math.min(level.count, first + FILE_WIDTH);
    let size = 0;
    let tsize = 0;
    for (let child = first; child < end; child++) {
      const cid = level.cids.subarray(child * CID_LENGTH, (child + 1) * CID_LENGTH);
      const link = { cid, name: NO_NAME, tsize: level.tsizes[child] as number };
      links.push(link);
      size += level.sizes[child] as number;
      tsize += link.tsize;
    }
    const bytes = encodeDagPb(links, encodeFileData(size, level.sizes.subarray(first, end)));
    const cid = dagPbCid(sha256(bytes));
    nodes.push({ cid, bytes });
    cids.set(cid.bytes, parent * CID_LENGTH);
    sizes[parent] = size;
    tsizes[parent] = tsize + bytes.length;
  }
  return { count, cids, sizes, tsizes };
}
