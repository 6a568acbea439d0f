import type { CID } from 'multiformats/cid';
import { sha256 } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { DagBlock } from './dag-block.ts';
import { type DagPbLink, encodeDagPb } from './dag-pb.ts';
import { dagPbCid } from './file-dag.ts';
import { shardLinks } from './hamt-shard.ts';
import { DIRECTORY_DATA, encodeSymlinkData } from './unixfs-data.ts';

export interface NamedLink {
  /** Well-formed, not empty, not `.` or `..`, no `/`. */
  readonly name: string;
  readonly cid: CID;
  readonly tsize: number;
}

export interface DirectoryDag {
  readonly cid: CID;
  /** Cumulative: own blocks and the links' Tsizes. */
  readonly tsize: number;
  /** The directory's own blocks, children before parents, the root last. */
  readonly blocks: readonly DagBlock[];
}

/** Names + CIDs in bytes above which a directory becomes a HAMT: Kubo's and the importer's `links-bytes` rule. */
export const SHARD_THRESHOLD = 262_144;

/**
 * The UnixFS directory of these links, in any order.
 * @throws Fault `invalid/duplicate-name`, `invalid/bad-name`, `invalid/shard-too-deep` (fields: name)
 */
export function directoryDag(links: readonly NamedLink[]): DirectoryDag {
  const names = new Set<string>();
  const members: DagPbLink[] = [];
  let counted = 0;
  let tsize = 0;
  for (const link of links) {
    const member = toDagPbLink(link);
    if (names.has(link.name)) throw duplicate(link.name);
    names.add(link.name);
    members.push(member);
    counted += member.name.length + member.cid.length;
    tsize += member.tsize;
  }
  const blocks: DagBlock[] = [];
  if (counted > SHARD_THRESHOLD) {
    const root = shardLinks(members, blocks);
    return { cid: root.block.cid, tsize: root.tsize, blocks };
  }
  members.sort((a, b) => Buffer.compare(a.name, b.name));
  const bytes = encodeDagPb(members, DIRECTORY_DATA);
  const cid = dagPbCid(sha256(bytes));
  return { cid, tsize: tsize + bytes.length, blocks: [{ cid, bytes }] };
}

function duplicate(name: string): Fault {
  return new Fault('invalid', 'duplicate-name', `a directory holds ${JSON.stringify(name)} twice`, {
    fields: { name },
  });
}

function toDagPbLink({ name, cid, tsize }: NamedLink): DagPbLink {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || !name.isWellFormed()) {
    throw new Fault('invalid', 'bad-name', `${JSON.stringify(name)} cannot be a name in a directory`, {
      fields: { name },
    });
  }
  return { cid: cid.bytes, name: Buffer.from(name), tsize };
}

/** A UnixFS symlink. @param target bytes, kept as they are */
export function symlinkBlock(target: Uint8Array): DagBlock & { readonly tsize: number } {
  const bytes = encodeDagPb([], encodeSymlinkData(target));
  return { cid: dagPbCid(sha256(bytes)), bytes, tsize: bytes.length };
}
