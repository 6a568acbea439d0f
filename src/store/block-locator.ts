import type { CID } from 'multiformats/cid';
import { CHUNK_SIZE, fileDag, RAW_CODEC } from '../image/dag/file-dag.ts';
import { blockKey, cidOfKey } from './block-key.ts';
import type { HolderIndex, ObjectIndex } from './object-index.ts';
import type { PartialObjects } from './partial-objects.ts';
import type { PendingObjects } from './pending-objects.ts';
import type { StoreLayout } from './store-layout.ts';

/** Where the bytes of a block of an object lie. */
export type BlockLocation =
  /** @property waiting its file is still in the writer's queue */
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly offset: number;
      readonly length: number;
      readonly waiting: boolean;
    }
  /** An inner node, computed from the leaf hashes. */
  | { readonly kind: 'node'; readonly bytes: Uint8Array };

export interface BlockLocatorComponents {
  readonly layout: StoreLayout;
  readonly objects: ObjectIndex;
  readonly partialRows: ObjectIndex;
  readonly partials: PartialObjects;
  readonly pending: PendingObjects;
  readonly holders: HolderIndex;
}

/** Finds blocks that are an object, a leaf or an inner node of one. */
export interface BlockLocator {
  /** @param sharedOnly only through an object that is shared */
  locate(cid: CID, sharedOnly: boolean): BlockLocation | undefined;
}

interface Found {
  readonly cid: CID;
  readonly size: number;
  readonly shared: boolean;
  readonly leaves: Uint8Array | undefined;
  readonly waiting: boolean;
}

export function createBlockLocator(components: BlockLocatorComponents): BlockLocator {
  const { layout, objects, partialRows, partials, pending, holders } = components;

  const complete = (key: Buffer): Found | undefined => {
    const waiting = pending.get(key);
    if (waiting !== undefined) {
      const { info, row } = waiting;
      return { cid: info.cid, size: info.size, shared: row.shared, leaves: info.leaves, waiting: true };
    }
    const row = objects.row(key);
    if (row === undefined) return undefined;
    return {
      cid: cidOfKey(key),
      size: row.size,
      shared: row.shared,
      leaves: objects.leaves(key),
      waiting: false,
    };
  };

  const node = (
    size: number,
    leaves: Uint8Array | undefined,
    digest: Uint8Array,
  ): BlockLocation | undefined => {
    if (leaves === undefined) return undefined;
    const found = fileDag(size, leaves).nodes.find(
      ({ cid }) => Buffer.compare(cid.multihash.digest, digest) === 0,
    );
    return found && { kind: 'node', bytes: found.bytes };
  };

  const whole = (key: Buffer, digest: Uint8Array, sharedOnly: boolean): BlockLocation | undefined => {
    const found = complete(key);
    if (found !== undefined && (found.shared || !sharedOnly)) {
      if (found.leaves !== undefined) return node(found.size, found.leaves, digest);
      const path = layout.object(found.cid.toString());
      return { kind: 'file', path, offset: 0, length: found.size, waiting: found.waiting };
    }
    // The root of an object that still comes is known as soon as its leaf hashes are.
    const partial = partialRows.row(key);
    if (partial === undefined || (sharedOnly && !partial.shared)) return undefined;
    return node(partial.size, partialRows.leaves(key), digest);
  };

  const inside = (
    key: Buffer,
    leaf: number,
    digest: Uint8Array,
    sharedOnly: boolean,
  ): BlockLocation | undefined => {
    const offset = leaf * CHUNK_SIZE;
    const found = complete(key);
    if (found !== undefined && (found.shared || !sharedOnly)) {
      if (leaf < 0) return node(found.size, found.leaves, digest);
      const path = layout.object(found.cid.toString());
      return {
        kind: 'file',
        path,
        offset,
        length: Math.min(CHUNK_SIZE, found.size - offset),
        waiting: found.waiting,
      };
    }
    const row = partialRows.row(key);
    if (row === undefined || (sharedOnly && !row.shared)) return undefined;
    if (leaf < 0) return node(row.size, partialRows.leaves(key), digest);
    const partial = partials.find(key);
    if (!partial?.hasLeaf(leaf)) return undefined;
    return { kind: 'file', path: partial.path, offset, length: partial.leafLength(leaf), waiting: false };
  };

  return {
    locate(cid, sharedOnly) {
      const key = blockKey(cid);
      if (key === undefined) return undefined;
      const { digest } = cid.multihash;
      const own = whole(key, digest, sharedOnly);
      if (own !== undefined) return own;
      for (const holder of holders.find(digest)) {
        if (holder.leaf < 0 === (cid.code === RAW_CODEC)) continue;
        const found = inside(holder.key, holder.leaf, digest, sharedOnly);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}
