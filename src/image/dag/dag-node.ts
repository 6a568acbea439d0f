import { CID } from 'multiformats/cid';
import { sha256 } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { type DagPbLink, decodeDagPb } from './dag-pb.ts';
import { DAG_PB_CODEC, dagPbCid, RAW_CODEC, rawCid, SHA2_256 } from './file-dag.ts';
import { shardBitField } from './hamt-shard.ts';
import { decodeUnixfsData, MURMUR3_X64_64, SHARD_WIDTH, type UnixfsData } from './unixfs-data.ts';

export interface DagNodeLink {
  /** As it stands in the block: in a shard with the two hex digits of its place before it. */
  readonly name: string;
  readonly cid: CID;
  readonly tsize: number;
}

/** One decoded block. */
export interface DagNode {
  readonly kind: 'raw' | 'file' | 'directory' | 'shard' | 'symlink';
  readonly links: readonly DagNodeLink[];
  /** raw: the block; file: bytes held inline; symlink: the target; shard: the bit field. Views into the block. */
  readonly data?: Uint8Array;
  /** Content bytes of a file or raw block, length of a symlink's target, else 0. */
  readonly size: number;
  /** file: content bytes below each link. */
  readonly blockSizes: readonly number[];
}

/** No block above this is read at all; what shp makes is at most 1 MiB. */
export const MAX_BLOCK_SIZE = 4 * 1024 * 1024;

/** More links than a block of 4 MiB with names of a few letters holds. */
const MAX_LINKS = 100_000;

const NO_BYTES = new Uint8Array(0);

/**
 * Decodes a raw or dag-pb block with UnixFS data. CIDv1, and v0 for what foreign nodes made; sha2-256 only.
 * @throws Fault `corrupt/bad-node` (fields: block)
 */
export function readNode(cid: CID, bytes: Uint8Array): DagNode {
  try {
    return decode(cid, bytes);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('corrupt', 'bad-node', `block ${cid} is malformed: ${error.message}`, {
      fields: { block: cid.toString() },
      cause: error,
    });
  }
}

/** @throws Fault `corrupt/block-mismatch` (fields: block) when the bytes do not hash to the CID */
export function verifyBlock(cid: CID, bytes: Uint8Array): void {
  if (cid.multihash.code === SHA2_256 && sha256(bytes).equals(cid.multihash.digest)) return;
  throw new Fault('corrupt', 'block-mismatch', `the bytes given for block ${cid} do not hash to it`, {
    fields: { block: cid.toString() },
  });
}

/** Children of a block, in link order; none of a raw one. @throws Fault `corrupt/bad-node` (fields: block) */
export function dagLinks(cid: CID, bytes: Uint8Array): CID[] {
  return readNode(cid, bytes).links.map((link) => link.cid);
}

function defect(reason: string): Fault {
  return new Fault('corrupt', 'bad-node', reason);
}

function decode(cid: CID, bytes: Uint8Array): DagNode {
  if (cid.multihash.code !== SHA2_256) throw defect('its hash is not sha2-256');
  if (bytes.length > MAX_BLOCK_SIZE) throw defect(`${bytes.length} bytes, the limit is ${MAX_BLOCK_SIZE}`);
  if (cid.code === RAW_CODEC) {
    return { kind: 'raw', links: [], data: bytes, size: bytes.length, blockSizes: [] };
  }
  if (cid.code !== DAG_PB_CODEC) throw defect(`codec 0x${cid.code.toString(16)} is neither raw nor dag-pb`);
  const node = decodeDagPb(bytes, MAX_LINKS);
  const links = node.links.map(toNodeLink);
  const unixfs = decodeUnixfsData(node.data, MAX_LINKS);
  switch (unixfs.type) {
    case 'directory':
      return { kind: 'directory', links, size: 0, blockSizes: [] };
    case 'shard':
      return shardNode(links, unixfs);
    case 'symlink': {
      if (links.length > 0) throw defect('a symlink with links');
      const target = unixfs.data ?? NO_BYTES;
      return { kind: 'symlink', links, data: target, size: target.length, blockSizes: [] };
    }
    case 'file':
    case 'raw':
      return fileNode(links, unixfs);
    default:
      throw defect(`UnixFS type ${unixfs.type} is not read`);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function toNodeLink(link: DagPbLink): DagNodeLink {
  let name: string;
  try {
    name = link.name.length === 0 ? '' : UTF8.decode(link.name);
  } catch (error) {
    throw new Fault('corrupt', 'bad-node', 'a link name is not UTF-8', { cause: error });
  }
  return { name, cid: readCid(link.cid), tsize: link.tsize };
}

// The three forms that occur: CIDv1 raw, CIDv1 dag-pb, CIDv0, each sha2-256 of 32 bytes.
function readCid(bytes: Uint8Array): CID {
  if (bytes.length === 34 && bytes[0] === SHA2_256 && bytes[1] === 32) return CID.decode(bytes);
  if (bytes.length === 36 && bytes[0] === 1 && bytes[2] === SHA2_256 && bytes[3] === 32) {
    const hash = bytes.slice(4);
    if (bytes[1] === RAW_CODEC) return rawCid(hash);
    if (bytes[1] === DAG_PB_CODEC) return dagPbCid(hash);
  }
  throw defect('a link is no raw or dag-pb CID with a sha2-256');
}

function fileNode(links: readonly DagNodeLink[], unixfs: UnixfsData): DagNode {
  const { blockSizes, data = NO_BYTES } = unixfs;
  if (blockSizes.length !== links.length) {
    throw defect(`${links.length} links but ${blockSizes.length} block sizes`);
  }
  const size = blockSizes.reduce((sum, blockSize) => sum + blockSize, data.length);
  if (!Number.isSafeInteger(size) || (unixfs.fileSize ?? size) !== size) {
    throw defect(`its file size ${unixfs.fileSize} is not the sum of its parts`);
  }
  return { kind: 'file', links, size, blockSizes, ...(data.length === 0 ? {} : { data }) };
}

function shardNode(links: readonly DagNodeLink[], unixfs: UnixfsData): DagNode {
  if (unixfs.hashType !== MURMUR3_X64_64 || unixfs.fanout !== SHARD_WIDTH) {
    throw defect(`a shard with hash 0x${unixfs.hashType?.toString(16)}, ${unixfs.fanout} wide`);
  }
  const places: number[] = [];
  for (const { name } of links) {
    const place = /^[0-9A-F]{2}/.test(name) ? Number.parseInt(name.slice(0, 2), 16) : -1;
    if (place <= (places.at(-1) ?? -1))
      throw defect(`a shard with the link ${JSON.stringify(name)} out of place`);
    places.push(place);
  }
  const data = unixfs.data ?? NO_BYTES;
  if (Buffer.compare(data, shardBitField(places)) !== 0) {
    throw defect('a shard whose bit field does not name its links');
  }
  return { kind: 'shard', links, data, size: 0, blockSizes: [] };
}
