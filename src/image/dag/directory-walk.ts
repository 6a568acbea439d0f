import type { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import { type DagNode, readNode } from './dag-node.ts';
import type { NamedLink } from './directory-dag.ts';
import { MAX_SHARD_DEPTH, namePlaces, placeLabel } from './hamt-shard.ts';

/** Verified bytes of a block that is here, or `undefined`. */
export type GetBlock = (cid: CID) => Uint8Array | undefined;

export type Lookup =
  | { readonly kind: 'found'; readonly link: NamedLink }
  | { readonly kind: 'absent' }
  /** Fetch this block, then look up again. */
  | { readonly kind: 'needs-block'; readonly cid: CID };

/**
 * Finds a name in a plain or sharded directory; in a HAMT it reads the one block a level on the way.
 * @throws Fault `corrupt/bad-node`, `invalid/not-a-directory` (fields: block)
 */
export function lookupLink(root: CID, name: string, get: GetBlock): Lookup {
  const places = namePlaces(Buffer.from(name));
  let cid = root;
  for (let level = 0; level < MAX_SHARD_DEPTH; level++) {
    const bytes = get(cid);
    if (bytes === undefined) return { kind: 'needs-block', cid };
    const node = readDirectoryNode(cid, bytes, level > 0);
    if (node.kind === 'directory') {
      const link = node.links.find((candidate) => candidate.name === name);
      return link === undefined ? { kind: 'absent' } : { kind: 'found', link };
    }
    const label = placeLabel(places.at(level));
    const link = node.links.find((candidate) => candidate.name.startsWith(label));
    if (link === undefined) return { kind: 'absent' };
    if (link.name.length > 2) {
      return link.name.slice(2) === name ? { kind: 'found', link: { ...link, name } } : { kind: 'absent' };
    }
    cid = link.cid;
  }
  throw tooDeep(root);
}

/** Yields the CID of each block it needs, is fed its bytes by `next(bytes)`, returns the answer. */
export type BlockWalk<T> = Generator<CID, T, Uint8Array>;

export interface DirectoryLimits {
  /** Links of one directory; default 1,000,000. */
  readonly maxLinks?: number;
}

/**
 * All links of a plain or sharded directory, sorted by the bytes of their names.
 * @throws Fault `corrupt/bad-node` (fields: block; also for a name that comes twice or lies in the wrong shard),
 *   `invalid/not-a-directory` (fields: block), `invalid/too-many-links` (fields: block, limit)
 */
export function* directoryLinks(root: CID, limits: DirectoryLimits = {}): BlockWalk<NamedLink[]> {
  const limit = limits.maxLinks ?? 1_000_000;
  const found = new Map<string, NamedLink>();
  const waiting: ShardStep[] = [{ cid: root, path: [] }];
  for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
    const { cid, path } = step;
    if (path.length >= MAX_SHARD_DEPTH) throw tooDeep(root);
    const node = readDirectoryNode(cid, yield cid, path.length > 0);
    // Each shard must lead to a name, whose hash proves the path: so shards that share a child cannot multiply.
    if (path.length > 0 && node.links.length === 0) throw malformed(cid, 'an empty shard');
    for (const link of node.links) {
      const member = node.kind === 'shard' ? inShard(link, step, waiting) : link;
      if (member === undefined) continue;
      if (found.has(member.name)) throw malformed(cid, `${JSON.stringify(member.name)} stands in it twice`);
      found.set(member.name, member);
    }
    if (found.size + waiting.length > limit) {
      throw new Fault('invalid', 'too-many-links', `directory ${root} has more than ${limit} links`, {
        fields: { block: root.toString(), limit },
      });
    }
  }
  return [...found.values()]
    .map((link) => ({ link, key: Buffer.from(link.name) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ link }) => link);
}

/** Runs a walk over blocks that are here. @throws Fault `not-found/no-block` (fields: block) at the first that is not */
export function runWalk<T>(walk: BlockWalk<T>, get: GetBlock): T {
  let step = walk.next();
  while (!step.done) {
    const bytes = get(step.value);
    if (bytes === undefined) {
      throw new Fault('not-found', 'no-block', `block ${step.value} is not here`, {
        fields: { block: step.value.toString() },
      });
    }
    step = walk.next(bytes);
  }
  return step.value;
}

interface ShardStep {
  readonly cid: CID;
  /** Places from the root shard to this one. */
  readonly path: readonly number[];
}

function inShard(link: NamedLink, step: ShardStep, waiting: ShardStep[]): NamedLink | undefined {
  const place = Number.parseInt(link.name.slice(0, 2), 16);
  const path = [...step.path, place];
  if (link.name.length === 2) {
    waiting.push({ cid: link.cid, path });
    return undefined;
  }
  const name = link.name.slice(2);
  const places = namePlaces(Buffer.from(name));
  // A name in a shard where a look-up by hash never comes would be listed but not found.
  if (path.some((taken, level) => places.at(level) !== taken)) {
    throw malformed(step.cid, `${JSON.stringify(name)} does not belong there by its hash`);
  }
  return { name, cid: link.cid, tsize: link.tsize };
}

function readDirectoryNode(cid: CID, bytes: Uint8Array, below: boolean): DagNode {
  const node = readNode(cid, bytes);
  if (node.kind === 'shard' || (node.kind === 'directory' && !below)) return node;
  if (below) throw malformed(cid, `a ${node.kind} stands where a shard belongs`);
  throw new Fault('invalid', 'not-a-directory', `${cid} is a ${node.kind}, not a directory`, {
    fields: { block: cid.toString() },
  });
}

function malformed(cid: CID, reason: string): Fault {
  return new Fault('corrupt', 'bad-node', `block ${cid} is malformed: ${reason}`, {
    fields: { block: cid.toString() },
  });
}

function tooDeep(root: CID): Fault {
  return malformed(root, `its shards are more than ${MAX_SHARD_DEPTH} levels deep`);
}
