import { Fault } from '../../base/fault.ts';
import { varintLength, writeVarint } from '../../base/varint.ts';
import { takeBytes, takeVarint } from './dag-pb.ts';

// The UnixFS message in a dag-pb node's data (https://specs.ipfs.tech/unixfs/): Type = 1, Data = 2, filesize = 3,
// blocksizes = 4 (repeated, not packed), hashType = 5, fanout = 6, mode = 7, mtime = 8. We write no mode and no mtime.
const TYPES = ['raw', 'directory', 'file', 'metadata', 'symlink', 'shard'] as const;
export type UnixfsType = (typeof TYPES)[number];

const TAG_TYPE = 0x08;
const TAG_DATA = 0x12;
const TAG_FILE_SIZE = 0x18;
const TAG_BLOCK_SIZE = 0x20;
const TAG_HASH_TYPE = 0x28;
const TAG_FANOUT = 0x30;
const TAG_MODE = 0x38;
const TAG_MTIME = 0x42;

/** Multicodec of murmur3-x64-64, the hash of sharded directories. */
export const MURMUR3_X64_64 = 0x22;
/** Children of one shard. */
export const SHARD_WIDTH = 256;

/** `Data` of every plain directory. */
export const DIRECTORY_DATA: Uint8Array = Uint8Array.of(TAG_TYPE, TYPES.indexOf('directory'));

/** An inner node of a file. @param blockSizes content bytes below each link */
export function encodeFileData(size: number, blockSizes: Float64Array): Uint8Array {
  let total = 3 + varintLength(size);
  for (const blockSize of blockSizes) total += 1 + varintLength(blockSize);
  const bytes = new Uint8Array(total);
  bytes[0] = TAG_TYPE;
  bytes[1] = TYPES.indexOf('file');
  bytes[2] = TAG_FILE_SIZE;
  let at = writeVarint(bytes, 3, size);
  for (const blockSize of blockSizes) {
    bytes[at] = TAG_BLOCK_SIZE;
    at = writeVarint(bytes, at + 1, blockSize);
  }
  return bytes;
}

function typeAndData(type: UnixfsType, data: Uint8Array, tail: readonly number[]): Uint8Array {
  // An empty data field is left out, as the importer does.
  const head = data.length === 0 ? 0 : 1 + varintLength(data.length) + data.length;
  const bytes = new Uint8Array(2 + head + tail.length);
  bytes[0] = TAG_TYPE;
  bytes[1] = TYPES.indexOf(type);
  if (data.length > 0) {
    bytes[2] = TAG_DATA;
    bytes.set(data, writeVarint(bytes, 3, data.length));
  }
  bytes.set(tail, 2 + head);
  return bytes;
}

export function encodeSymlinkData(target: Uint8Array): Uint8Array {
  return typeAndData('symlink', target, []);
}

/** @param bitField which of the 256 places are taken: big-endian, place 0 in the last byte's lowest bit, no leading zero bytes */
export function encodeShardData(bitField: Uint8Array): Uint8Array {
  return typeAndData('shard', bitField, [
    TAG_HASH_TYPE,
    MURMUR3_X64_64,
    TAG_FANOUT,
    (SHARD_WIDTH & 127) | 128,
    SHARD_WIDTH >> 7,
  ]);
}

export interface UnixfsData {
  readonly type: UnixfsType;
  readonly data?: Uint8Array;
  readonly fileSize?: number;
  readonly blockSizes: readonly number[];
  readonly hashType?: number;
  readonly fanout?: number;
}

/**
 * Reads a UnixFS message; `data` is a view. Mode and mtime of foreign nodes are passed over.
 * @throws Fault `corrupt/bad-node`, `invalid/bad-varint`
 */
export function decodeUnixfsData(bytes: Uint8Array, maxBlockSizes: number): UnixfsData {
  const numbers = new Map<number, number>();
  const blockSizes: number[] = [];
  let data: Uint8Array | undefined;
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] as number;
    if (tag === TAG_DATA || tag === TAG_MTIME) {
      const field = takeBytes(bytes, at);
      at = field.next;
      if (tag === TAG_DATA) data = field.value;
    } else if (tag === TAG_BLOCK_SIZE) {
      const field = takeVarint(bytes, at);
      at = field.next;
      if (blockSizes.length >= maxBlockSizes) {
        throw new Fault('corrupt', 'bad-node', `more than ${maxBlockSizes} block sizes`);
      }
      blockSizes.push(field.value);
    } else if ([TAG_TYPE, TAG_FILE_SIZE, TAG_HASH_TYPE, TAG_FANOUT, TAG_MODE].includes(tag)) {
      const field = takeVarint(bytes, at);
      at = field.next;
      numbers.set(tag, field.value);
    } else {
      throw new Fault('corrupt', 'bad-node', `an unknown UnixFS field (tag ${tag})`);
    }
  }
  const typeNumber = numbers.get(TAG_TYPE);
  const type = typeNumber === undefined ? undefined : TYPES[typeNumber];
  if (type === undefined) throw new Fault('corrupt', 'bad-node', `UnixFS type ${typeNumber} is unknown`);
  const fileSize = numbers.get(TAG_FILE_SIZE);
  const hashType = numbers.get(TAG_HASH_TYPE);
  const fanout = numbers.get(TAG_FANOUT);
  return {
    type,
    blockSizes,
    ...(data === undefined ? {} : { data }),
    ...(fileSize === undefined ? {} : { fileSize }),
    ...(hashType === undefined ? {} : { hashType }),
    ...(fanout === undefined ? {} : { fanout }),
  };
}
