import { sha256 } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { DagBlock } from './dag-block.ts';
import { type DagPbLink, encodeDagPb } from './dag-pb.ts';
import { dagPbCid } from './file-dag.ts';
import { murmur3x64 } from './murmur3.ts';
import { encodeShardData, SHARD_WIDTH } from './unixfs-data.ts';

/**
 * Levels of a sharded directory. 8 use up one hash of a name (Kubo reads no deeper); beyond, the hash of the name
 * with a byte 1, 2 … behind it goes on, as hamt-sharding does. Names that meet 32 times were made to.
 */
export const MAX_SHARD_DEPTH = 32;

/** Gives the place of a name at each level, hashing on as levels are asked for. */
export interface NamePlaces {
  /** 0..255. @param level from 0 */
  at(level: number): number;
}

/** @param name UTF-8, kept */
export function namePlaces(name: Uint8Array): NamePlaces {
  return new HashedName(name);
}

class HashedName implements NamePlaces {
  readonly #name: Uint8Array;
  readonly #hash: Uint8Array;
  #longer: Uint8Array[] | undefined;

  constructor(name: Uint8Array) {
    this.#name = name;
    this.#hash = murmur3x64(name);
  }

  at(level: number): number {
    return (level < 8 ? this.#hash : this.#further(level >> 3))[level & 7] as number;
  }

  #further(round: number): Uint8Array {
    this.#longer ??= [];
    while (this.#longer.length < round) {
      const longer = new Uint8Array(this.#name.length + 1);
      longer.set(this.#name);
      longer[this.#name.length] = this.#longer.length + 1;
      this.#longer.push(murmur3x64(longer));
    }
    return this.#longer[round - 1] as Uint8Array;
  }
}

/** `00`..`FF`: what stands before each name in a shard, and alone names a sub-shard. */
export function placeLabel(place: number): string {
  return place.toString(16).toUpperCase().padStart(2, '0');
}

interface Placed {
  readonly link: DagPbLink;
  readonly places: NamePlaces;
}

export interface Shard {
  readonly block: DagBlock;
  readonly tsize: number;
}

/**
 * The HAMT of these links. Its shape depends on the names only, not on their order.
 * @param blocks receives the blocks, children before parents, the root last
 * @throws Fault `invalid/shard-too-deep`
 */
export function shardLinks(links: readonly DagPbLink[], blocks: DagBlock[]): Shard {
  return shard(
    links.map((link) => ({ link, places: namePlaces(link.name) })),
    0,
    blocks,
  );
}

function shard(members: readonly Placed[], level: number, blocks: DagBlock[]): Shard {
  if (level >= MAX_SHARD_DEPTH) {
    const names = members.map(({ link }) => Buffer.from(link.name).toString());
    throw new Fault(
      'invalid',
      'shard-too-deep',
      `the names ${names
        .slice(0, 2)
        .map((name) => JSON.stringify(name))
        .join(' and ')} collide at all ${MAX_SHARD_DEPTH} levels of a directory`,
      { fields: { names: names.slice(0, 8) } },
    );
  }
  const buckets: (Placed[] | undefined)[] = new Array(SHARD_WIDTH).fill(undefined);
  for (const member of members) {
    const place = member.places.at(level);
    const bucket = buckets[place];
    if (bucket === undefined) buckets[place] = [member];
    else bucket.push(member);
  }
  const links: DagPbLink[] = [];
  const places: number[] = [];
  let tsize = 0;
  for (let place = 0; place < SHARD_WIDTH; place++) {
    const bucket = buckets[place];
    if (bucket === undefined) continue;
    const link = placedLink(place, bucket, level, blocks);
    links.push(link);
    places.push(place);
    tsize += link.tsize;
  }
  const bytes = encodeDagPb(links, encodeShardData(shardBitField(places)));
  const block = { cid: dagPbCid(sha256(bytes)), bytes };
  blocks.push(block);
  return { block, tsize: tsize + bytes.length };
}

const NO_NAME = new Uint8Array(0);

function placedLink(place: number, bucket: readonly Placed[], level: number, blocks: DagBlock[]): DagPbLink {
  if (bucket.length === 1) {
    const { link } = bucket[0] as Placed;
    return { cid: link.cid, name: labelled(place, link.name), tsize: link.tsize };
  }
  const child = shard(bucket, level + 1, blocks);
  return { cid: child.block.cid.bytes, name: labelled(place, NO_NAME), tsize: child.tsize };
}

function labelled(place: number, name: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(name.length + 2);
  bytes[0] = hexDigit(place >> 4);
  bytes[1] = hexDigit(place & 15);
  bytes.set(name, 2);
  return bytes;
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x37 + value;
}

/** The bit field of a shard's data: place 0 is the lowest bit of the last byte; leading zero bytes are left out. */
export function shardBitField(places: Iterable<number>): Uint8Array {
  const bytes = new Uint8Array(SHARD_WIDTH / 8);
  let first = bytes.length;
  for (const place of places) {
    const at = bytes.length - 1 - (place >> 3);
    bytes[at] = (bytes[at] as number) | (1 << (place & 7));
    first = Math.min(first, at);
  }
  return bytes.subarray(first);
}
