import { Fault } from '../../base/fault.ts';
import { readVarint, varintLength, writeVarint } from '../../base/varint.ts';

// dag-pb (https://ipld.io/specs/codecs/dag-pb/spec/): PBNode { Links = 2 repeated, Data = 1 }, links written first;
// PBLink { Hash = 1, Name = 2, Tsize = 3 }. All three of a link are always written, an empty name too.
const NODE_DATA = 0x0a;
const NODE_LINK = 0x12;
const LINK_HASH = 0x0a;
const LINK_NAME = 0x12;
const LINK_TSIZE = 0x18;

/** One link of a dag-pb node, as bytes. */
export interface DagPbLink {
  /** Binary CID. */
  readonly cid: Uint8Array;
  /** UTF-8. */
  readonly name: Uint8Array;
  /** Cumulative bytes. */
  readonly tsize: number;
}

export interface DagPbNode {
  readonly links: readonly DagPbLink[];
  readonly data: Uint8Array;
}

function linkLength(link: DagPbLink): number {
  return (
    3 +
    varintLength(link.cid.length) +
    link.cid.length +
    varintLength(link.name.length) +
    link.name.length +
    varintLength(link.tsize)
  );
}

function writeBytes(target: Uint8Array, offset: number, tag: number, bytes: Uint8Array): number {
  target[offset] = tag;
  const at = writeVarint(target, offset + 1, bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}

/** The canonical bytes of a node; links stay in the order given (the caller sorted them). */
export function encodeDagPb(links: readonly DagPbLink[], data: Uint8Array): Uint8Array {
  let total = 1 + varintLength(data.length) + data.length;
  for (const link of links) {
    const length = linkLength(link);
    total += 1 + varintLength(length) + length;
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const link of links) {
    bytes[at] = NODE_LINK;
    at = writeVarint(bytes, at + 1, linkLength(link));
    at = writeBytes(bytes, at, LINK_HASH, link.cid);
    at = writeBytes(bytes, at, LINK_NAME, link.name);
    bytes[at] = LINK_TSIZE;
    at = writeVarint(bytes, at + 1, link.tsize);
  }
  writeBytes(bytes, at, NODE_DATA, data);
  return bytes;
}

function defect(reason: string): Fault {
  return new Fault('corrupt', 'bad-node', reason);
}

/** A number at `offset`. @throws Fault `corrupt/bad-node`, `invalid/bad-varint` */
export function takeVarint(
  bytes: Uint8Array,
  offset: number,
): { readonly value: number; readonly next: number } {
  const number = readVarint(bytes, offset);
  if (number === undefined) throw defect(`ends inside a number at byte ${offset}`);
  return number;
}

/** A length and that many bytes at `offset`, as a view. @throws Fault `corrupt/bad-node`, `invalid/bad-varint` */
export function takeBytes(
  bytes: Uint8Array,
  offset: number,
): { readonly value: Uint8Array; readonly next: number } {
  const { value: length, next } = takeVarint(bytes, offset);
  if (length > bytes.length - next) throw defect(`a field at byte ${offset} is longer than the block`);
  return { value: bytes.subarray(next, next + length), next: next + length };
}

const NO_BYTES = new Uint8Array(0);

// Fields in the order Hash, Name, Tsize, each at most once: the specification's strictness. A missing name is the empty one.
function decodeLink(bytes: Uint8Array): DagPbLink {
  let cid: Uint8Array | undefined;
  let name: Uint8Array = NO_BYTES;
  let tsize = 0;
  let last = 0;
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] as number;
    if (tag <= last) throw defect(`a link has its fields twice or out of order`);
    last = tag;
    if (tag === LINK_HASH) ({ value: cid, next: at } = takeBytes(bytes, at));
    else if (tag === LINK_NAME) ({ value: name, next: at } = takeBytes(bytes, at));
    else if (tag === LINK_TSIZE) ({ value: tsize, next: at } = takeVarint(bytes, at));
    else throw defect(`a link has an unknown field (tag ${tag})`);
  }
  if (cid === undefined) throw defect('a link has no CID');
  return { cid, name, tsize };
}

/**
 * Reads a node; arrays are views into `bytes`.
 * @param maxLinks more are refused before they are kept
 * @throws Fault `corrupt/bad-node`, `invalid/bad-varint`, without the CID, which the caller knows
 */
export function decodeDagPb(bytes: Uint8Array, maxLinks: number): DagPbNode {
  const links: DagPbLink[] = [];
  let data: Uint8Array | undefined;
  let dataAfterLinks = false;
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] as number;
    const field = takeBytes(bytes, at);
    at = field.next;
    if (tag === NODE_LINK) {
      if (dataAfterLinks) throw defect('links stand on both sides of the data');
      if (links.length >= maxLinks) throw defect(`more than ${maxLinks} links`);
      links.push(decodeLink(field.value));
    } else if (tag === NODE_DATA) {
      if (data !== undefined) throw defect('two data fields');
      data = field.value;
      dataAfterLinks = links.length > 0;
    } else {
      throw defect(`an unknown field (tag ${tag})`);
    }
  }
  if (data === undefined) throw defect('no UnixFS data');
  return { links, data };
}
