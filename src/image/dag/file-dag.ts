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
  while (level.length > 1) {
    const parents: Subtree[] = [];
    for (let first = 0; first < level.length; first += FILE_WIDTH) {
      parents.push(innerNode(level.slice(first, first + FILE_WIDTH), nodes));
    }
    level = parents;
  }
  const root = level[0] as Subtree;
  return { cid: (nodes.at(-1) as DagBlock).cid, size, tsize: root.tsize, nodes };
}

/** A link on its way to its parent, with the content bytes below it. */
interface Subtree extends DagPbLink {
  readonly size: number;
}

const NO_NAME = new Uint8Array(0);
// CIDv1, codec, sha2-256, 32 bytes: all below 128, so each is a one-byte varint.
const RAW_CID_PREFIX = [1, RAW_CODEC, SHA2_256, 32];

function leafLevel(size: number, leaves: Uint8Array, count: number): Subtree[] {
  const level: Subtree[] = [];
  for (let leaf = 0; leaf < count; leaf++) {
    const cid = new Uint8Array(36);
    cid.set(RAW_CID_PREFIX);
    cid.set(leaves.subarray(leaf * 32, leaf * 32 + 32), 4);
    const bytes = leaf < count - 1 ? CHUNK_SIZE : size - leaf * CHUNK_SIZE;
    level.push({ cid, name: NO_NAME, tsize: bytes, size: bytes });
  }
  return level;
}

function innerNode(children: readonly Subtree[], nodes: DagBlock[]): Subtree {
  let size = 0;
  let tsize = 0;
  for (const child of children) {
    size += child.size;
    tsize += child.tsize;
  }
  const data = encodeFileData(
    size,
    children.map((child) => child.size),
  );
  const bytes = encodeDagPb(children, data);
  const cid = dagPbCid(sha256(bytes));
  nodes.push({ cid, bytes });
  return { cid: cid.bytes, name: NO_NAME, tsize: tsize + bytes.length, size };
}
