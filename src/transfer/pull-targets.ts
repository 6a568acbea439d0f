import type { CID } from 'multiformats/cid';
import { createWaiters } from '../base/waiters.ts';
import { type BlockPlan, createBlockPlanBuilder } from '../image/dag/block-plan.ts';
import { CHUNK_SIZE, objectCid, rawCid } from '../image/dag/file-dag.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import { addLayerToPlan } from '../image/layer/layer-plan.ts';
import type { Lease } from '../store/lease.ts';
import type { PartialObject, PutOptions } from '../store/object-store.ts';
import type { Store } from '../store/store.ts';
import { createRecentBlocks } from './recent-blocks.ts';

/** What of an image has to come: one tar layer, or the exact bytes of a blob that is no tar. */
export interface PullPart {
  /** Absent for a blob. */
  readonly index?: LayerIndex;
  /** The recipe of a layer, or the blob: a file by its leaves. */
  readonly file: { readonly cid: CID; readonly size: number; readonly leaves: Uint8Array };
}

/** Where the blocks of a pull go: which plan index belongs to which object, what is here, what is wanted. */
export interface PullTargets {
  readonly plan: BlockPlan;
  /** Bit i: plan index i is here, in every place that needs it. Live. */
  readonly bitmap: Uint8Array;
  /** Plan indexes at which each part begins; a last entry ends the plan. */
  readonly partStarts: Uint32Array;
  /**
   * Looks at what is here already; takes leaves that other objects hold. Call once, first.
   * @param pause called every few blocks, and waited for where it answers something
   */
  prepare(signal: AbortSignal, pause?: () => Promise<void> | undefined): Promise<void>;
  has(index: number): boolean;
  /** Bytes that will be written: a block as often as there are places that need it. */
  bytesToWrite(): number;
  /** Plan indexes of the recipes' blocks that are not here. */
  wantedRecipes(): Uint32Array;
  /** Plan indexes not here of the blocks of these objects, in this order, each once over all calls. */
  wantedObjects(part: number, objects: Iterable<number>): number[];
  /** Blobs that are no tar. */
  wantedFiles(): number[];
  /** Plan indexes of the leaves `[first, end)` of an object, here or not. */
  leavesOf(part: number, object: number, first: number, end: number): number[];
  /** What `prepare` does, for these alone: they can be taken then, and `has` tells the truth of them. */
  lookUp(indexes: readonly number[]): Promise<void>;
  /** What was wanted and did not come is wanted again. */
  requeue(): void;
  /**
   * Keeps a block in every place that needs it. Answers a promise where the block is a leaf: it resolves when the leaf is
   * written, and need not be waited for before the next block is taken.
   */
  take(index: number, bytes: Uint8Array, options?: PutOptions): Promise<void> | undefined;
  /** Resolves when the object is complete here. */
  objectReady(part: number, object: number): Promise<void>;
  /**
   * Resolves when bytes `[offset, offset + length)` of the object, all of one leaf, have come: with them where that was
   * just now, with nothing where the object is complete and they are to be read from it.
   */
  rangeReady(part: number, object: number, offset: number, length: number): Promise<Uint8Array | undefined>;
  fail(reason: unknown): void;
  /** The part in which a block comes first. */
  partOf(index: number): number;
}

/** A place of a block: leaf `leaf` of the partial object `object`. */
interface Place {
  readonly object: number;
  readonly leaf: number;
}

interface Target {
  readonly cid: CID;
  readonly size: number;
  readonly leaves?: Uint8Array;
  partial?: PartialObject;
}

const WHOLE = 1;
const RECIPE = 2;
const LEAF = 4;
const PREPARE_WIDTH = 16;
/** The reader behind a fetch in order is a few groups late. */
const RECENT_BYTES = 8 * 1024 * 1024;

export function createPullTargets(store: Store, lease: Lease, parts: readonly PullPart[]): PullTargets {
  const builder = createBlockPlanBuilder();
  const partStarts = new Uint32Array(parts.length + 1);
  for (const [number, { index, file }] of parts.entries()) {
    if (index !== undefined) addLayerToPlan(builder, index, file.leaves, file.size);
    else addFile(file);
    partStarts[number + 1] = builder.finish().count;
  }
  const plan = builder.finish();
  const bitmap = new Uint8Array(Math.ceil(plan.count / 8));
  const kinds = new Uint8Array(plan.count);
  const queued = new Uint8Array(plan.count);
  /** 1: it came in this pull, though perhaps it is not written yet. */
  const came = new Uint8Array(plan.count);
  /** Multi-leaf objects by the plan index of their first leaf and their size; files that are no tar likewise. */
  const targets: Target[] = [];
  const targetOf = new Map<string, number>();
  const places: (Place | Place[] | undefined)[] = new Array(plan.count);
  /** By plan index; objects of several leaves behind them, by their place in `targets`. */
  const ready = createWaiters<number>();
  const recent = createRecentBlocks(RECENT_BYTES);

  function addFile(file: PullPart['file']): void {
    for (let at = 0; at * 32 < file.leaves.length; at++) {
      builder.add(file.leaves.subarray(at * 32, at * 32 + 32), leafSize(file.size, at));
    }
  }

  function addTarget(cid: CID, size: number, leaves: Uint8Array): void {
    const key = cid.toString();
    if (targetOf.has(key)) return;
    const object = targets.push({ cid, size, leaves }) - 1;
    targetOf.set(key, object);
    for (let leaf = 0; leaf * 32 < leaves.length; leaf++) {
      const index = builder.indexOf(leaves.subarray(leaf * 32, leaf * 32 + 32));
      kinds[index] = (kinds[index] as number) | LEAF;
      const before = places[index];
      const place = { object, leaf };
      if (before === undefined) places[index] = place;
      else if (Array.isArray(before)) before.push(place);
      else places[index] = [before, place];
    }
  }

  function mark(digest: Uint8Array, kind: number): void {
    const index = builder.indexOf(digest);
    kinds[index] = (kinds[index] as number) | kind;
  }

  for (const { index, file } of parts) {
    if (index === undefined) {
      if (file.size > CHUNK_SIZE) addTarget(file.cid, file.size, file.leaves);
      else mark(file.leaves, WHOLE);
      continue;
    }
    for (let object = 0; object < index.objectCount; object++) {
      const leaves = index.objectLeaves(object);
      if (leaves === undefined) mark(index.objectDigest(object), WHOLE);
      else addTarget(index.objectCid(object), index.objectSize(object), leaves);
    }
    for (let at = 0; at < file.leaves.length; at += 32) mark(file.leaves.subarray(at, at + 32), RECIPE);
  }

  const digestOf = (index: number): Uint8Array => plan.digests.subarray(index * 32, index * 32 + 32);
  const has = (index: number): boolean => ((bitmap[index >> 3] as number) & (1 << (index & 7))) !== 0;
  const set = (index: number): void => {
    bitmap[index >> 3] = (bitmap[index >> 3] as number) | (1 << (index & 7));
  };
  const placesOf = (index: number): readonly Place[] => {
    const at = places[index];
    if (at === undefined) return [];
    return Array.isArray(at) ? at : [at];
  };

  async function openTarget(target: Target): Promise<void> {
    if (target.partial !== undefined) return;
    if (store.objects.has(target.cid)) lease.see(target.cid);
    else target.partial = await store.objects.partial(lease, target);
  }

  /** The targets of the block are open. */
  async function lookUpOne(index: number): Promise<void> {
    if (isPlaced(index)) {
      set(index);
      return;
    }
    // the same bytes may be here under another roof: a leaf of an object, a recipe's block
    const bytes = await store.blocks.get(rawCid(digestOf(index)));
    if (bytes !== undefined) await take(index, bytes);
  }

  async function prepareTargets(signal: AbortSignal): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < targets.length) {
        signal.throwIfAborted();
        await openTarget(targets[next++] as Target);
      }
    };
    await Promise.all(Array.from({ length: PREPARE_WIDTH }, worker));
  }

  /** Whether every place that needs the block has it. */
  function isPlaced(index: number): boolean {
    const kind = kinds[index] as number;
    if ((kind & (WHOLE | RECIPE)) !== 0) {
      const cid = rawCid(digestOf(index));
      if ((kind & WHOLE) !== 0 && !store.objects.has(cid)) return false;
      if ((kind & RECIPE) !== 0 && !store.blocks.has(cid)) return false;
      lease.see(cid);
    }
    return placesOf(index).every(({ object, leaf }) => {
      const { partial } = targets[object] as Target;
      return partial === undefined || partial.complete || partial.hasLeaf(leaf);
    });
  }

  function take(index: number, bytes: Uint8Array, options?: PutOptions): Promise<void> | undefined {
    const kind = kinds[index] as number;
    if ((kind & ~LEAF) !== 0) {
      const cid = rawCid(digestOf(index));
      if ((kind & WHOLE) !== 0) store.objects.putWhole(lease, cid, bytes, options);
      if ((kind & RECIPE) !== 0) store.blocks.put(lease, cid, bytes);
    }
    // What was asked for and is read along; what was here already is read from where it is.
    if ((kind & (WHOLE | LEAF)) !== 0 && queued[index] !== 0) recent.keep(index, bytes);
    const placed = (kind & LEAF) === 0 ? undefined : takeLeaf(index, bytes, options);
    if (placed === undefined) set(index);
    came[index] = 1;
    ready.release(index);
    return placed;
  }

  async function takeLeaf(index: number, bytes: Uint8Array, options?: PutOptions): Promise<void> {
    for (const { object, leaf } of placesOf(index)) {
      const target = targets[object] as Target;
      if (target.partial === undefined) continue;
      // Another pull of the same object may have brought its last leaf: ours waits for it all the same.
      if (!target.partial.complete) await target.partial.putLeaf(leaf, bytes, options);
      if (target.partial.complete) ready.release(plan.count + object);
    }
    set(index);
  }

  function queue(index: number, wanted: number[]): void {
    if (has(index) || queued[index] !== 0) return;
    queued[index] = 1;
    wanted.push(index);
  }

  return {
    plan,
    bitmap,
    partStarts,
    async prepare(signal, pause) {
      await prepareTargets(signal);
      for (let index = 0; index < plan.count; index++) {
        if (pause !== undefined && (index & 63) === 0) await pause();
        if (has(index)) continue;
        if (isPlaced(index)) {
          set(index);
          continue;
        }
        await lookUpOne(index);
        if ((index & 1023) === 0) await store.objects.drained(lease);
      }
    },
    has,
    bytesToWrite() {
      let bytes = 0;
      for (let index = 0; index < plan.count; index++) {
        if (has(index)) continue;
        const kind = kinds[index] as number;
        const copies =
          placesOf(index).length + ((kind & WHOLE) === 0 ? 0 : 1) + ((kind & RECIPE) === 0 ? 0 : 1);
        bytes += copies * (plan.sizes[index] as number);
      }
      return bytes;
    },
    wantedRecipes() {
      const wanted: number[] = [];
      for (let index = 0; index < plan.count; index++) {
        if (((kinds[index] as number) & RECIPE) !== 0) queue(index, wanted);
      }
      return Uint32Array.from(wanted);
    },
    wantedObjects(part, objects) {
      const { index } = parts[part] as Required<PullPart>;
      const wanted: number[] = [];
      for (const object of objects) {
        const leaves = index.objectLeaves(object);
        if (leaves === undefined) queue(builder.indexOf(index.objectDigest(object)), wanted);
        else
          for (let at = 0; at < leaves.length; at += 32)
            queue(builder.indexOf(leaves.subarray(at, at + 32)), wanted);
      }
      return wanted;
    },
    wantedFiles() {
      const wanted: number[] = [];
      for (const { index, file } of parts) {
        if (index !== undefined) continue;
        for (let at = 0; at < file.leaves.length; at += 32) {
          queue(builder.indexOf(file.leaves.subarray(at, at + 32)), wanted);
        }
      }
      return wanted;
    },
    leavesOf(part, object, first, end) {
      const { index } = parts[part] as Required<PullPart>;
      const leaves = index.objectLeaves(object) ?? index.objectDigest(object);
      const found: number[] = [];
      for (let at = first * 32; at < end * 32; at += 32)
        found.push(builder.indexOf(leaves.subarray(at, at + 32)));
      return found;
    },
    async lookUp(indexes) {
      for (const index of indexes) {
        if (has(index)) continue;
        for (const { object } of placesOf(index)) await openTarget(targets[object] as Target);
        await lookUpOne(index);
      }
    },
    requeue() {
      queued.fill(0);
    },
    take,
    async objectReady(part, object) {
      const { index } = parts[part] as Required<PullPart>;
      const cid = objectCid(index.objectSize(object), index.objectDigest(object));
      if (store.objects.has(cid)) return;
      const whole = index.objectLeaves(object) === undefined;
      await ready.wait(
        whole
          ? builder.indexOf(index.objectDigest(object))
          : plan.count + (targetOf.get(cid.toString()) as number),
      );
    },
    async rangeReady(part, object, offset, length) {
      const { index } = parts[part] as Required<PullPart>;
      const leaves = index.objectLeaves(object);
      const leaf = Math.floor(offset / CHUNK_SIZE);
      const at = builder.indexOf(
        leaves === undefined ? index.objectDigest(object) : leaves.subarray(leaf * 32, leaf * 32 + 32),
      );
      if (!has(at) && came[at] === 0) await ready.wait(at);
      const from = offset - leaf * CHUNK_SIZE;
      const bytes = recent.get(at);
      if (bytes !== undefined) {
        if (from + length >= bytes.length) recent.drop(at);
        return bytes.subarray(from, from + length);
      }
      if (leaves !== undefined) {
        const cid = objectCid(index.objectSize(object), index.objectDigest(object));
        const target = targetOf.get(cid.toString()) as number;
        const { partial } = targets[target] as Target;
        if (partial !== undefined && !partial.complete) await ready.wait(plan.count + target);
      }
      return undefined;
    },
    fail: (reason) => ready.fail(reason),
    partOf(index) {
      let low = 0;
      let high = parts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((partStarts[middle] as number) <= index) low = middle;
        else high = middle - 1;
      }
      return low;
    },
  };
}

function leafSize(size: number, leaf: number): number {
  return Math.min(CHUNK_SIZE, size - leaf * CHUNK_SIZE);
}
