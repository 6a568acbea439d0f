import { readFileSync } from 'node:fs';
import { Fault } from '../base/fault.ts';
import { CHUNK_SIZE, fileDag, rawCid } from '../image/dag/file-dag.ts';
import { blockKey, cidOfKey, keyText } from './block-key.ts';
import type { FileQueue } from './file-queue.ts';
import type { StoreLease } from './lease-book.ts';
import { LivePartial } from './live-partial.ts';
import type { HolderIndex, ObjectIndex } from './object-index.ts';
import type { ObjectInfo } from './object-store.ts';
import type { Sequence } from './sequence.ts';
import type { StoreLayout } from './store-layout.ts';

/** Objects that come in pieces, those in memory and those that an earlier run left. */
export interface PartialObjects {
  /** The object as it stands, read in from disk where need be. */
  find(key: Buffer): LivePartial | undefined;
  /** @throws Fault `invalid/one-block`, `corrupt/leaves-mismatch` when the leaves do not hash to the CID */
  open(lease: StoreLease, info: ObjectInfo): Promise<LivePartial>;
  remove(key: Buffer): void;
  /** Bytes of all that are here. */
  bytes(): number;
  /** Brings all bitmaps to disk. */
  close(): void;
}

export interface PartialObjectsComponents {
  readonly layout: StoreLayout;
  readonly queue: FileQueue;
  readonly sequence: Sequence;
  readonly objects: ObjectIndex;
  readonly partials: ObjectIndex;
  readonly holders: HolderIndex;
  readonly temporaryFile: () => string;
}

type WholeInfo = ObjectInfo & { readonly leaves: Uint8Array };
const MAX_ROWS = 100_000;

export function createPartialObjects(components: PartialObjectsComponents): PartialObjects {
  return new DiskPartials(components);
}

class DiskPartials implements PartialObjects {
  readonly #components: PartialObjectsComponents;
  readonly #live = new Map<string, LivePartial>();

  constructor(components: PartialObjectsComponents) {
    this.#components = components;
  }

  find(key: Buffer): LivePartial | undefined {
    const live = this.#live.get(keyText(key));
    if (live !== undefined) return live;
    const { partials, layout } = this.#components;
    const row = partials.row(key);
    const leaves = row && partials.leaves(key);
    if (row === undefined || leaves === undefined) return undefined;
    const cid = cidOfKey(key);
    let bits: Uint8Array | undefined;
    try {
      bits = readFileSync(layout.bits(cid.toString()));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return this.#keep(key, { cid, size: row.size, leaves }, bits);
  }

  #keep(key: Buffer, info: WholeInfo, bits?: Uint8Array): LivePartial {
    const { layout, queue, objects, partials, temporaryFile } = this.#components;
    const name = info.cid.toString();
    const text = keyText(key);
    const partial = new LivePartial(
      info,
      {
        queue,
        path: layout.partial(name),
        bitsPath: layout.bits(name),
        objectPath: layout.object(name),
        temporaryFile,
        completed: () => {
          const row = partials.row(key);
          this.#live.delete(text);
          partials.remove(key, true);
          if (row !== undefined) objects.put(key, { ...row, storedSize: row.size }, Buffer.from(info.leaves));
        },
      },
      bits,
    );
    this.#live.set(text, partial);
    return partial;
  }

  async open(lease: StoreLease, info: ObjectInfo): Promise<LivePartial> {
    const { leaves } = info;
    const name = info.cid.toString();
    const key = blockKey(info.cid);
    if (leaves === undefined || key === undefined || info.size <= CHUNK_SIZE) {
      throw new Fault('invalid', 'one-block', `${name} is one block: it comes whole`, {
        fields: { block: name },
      });
    }
    const computed = fileDag(info.size, leaves).cid.toString();
    if (computed !== name) {
      throw new Fault('corrupt', 'leaves-mismatch', `the leaf hashes given for ${name} make ${computed}`, {
        fields: { block: name },
      });
    }
    let partial = this.find(key);
    if (partial === undefined) {
      const { partials, sequence } = this.#components;
      const row = { shared: lease.shared, born: sequence.take(), size: info.size, storedSize: 0 };
      partials.put(key, row, Buffer.from(leaves));
      partial = this.#keep(key, { cid: info.cid, size: info.size, leaves: Uint8Array.from(leaves) });
    }
    await this.#takeFromOthers(partial, key);
    return partial;
  }

  /** Leaves that lie in other files of the store already. */
  async #takeFromOthers(partial: LivePartial, key: Buffer): Promise<void> {
    const copies: Promise<void>[] = [];
    for (let leaf = 0; leaf < partial.leafCount; leaf++) {
      if (partial.hasLeaf(leaf)) continue;
      const source = this.#sourceOf(partial.leafHash(leaf), key);
      if (source !== undefined) copies.push(partial.copyLeaf(leaf, source.path, source.offset));
    }
    copies.push(partial.finishIfWhole());
    await Promise.all(copies);
  }

  #sourceOf(hash: Uint8Array, except: Buffer): { path: string; offset: number } | undefined {
    const { objects, holders, layout } = this.#components;
    const wholeKey = blockKey(rawCid(hash));
    if (wholeKey !== undefined && objects.has(wholeKey))
      return { path: layout.object(cidOfKey(wholeKey).toString()), offset: 0 };
    for (const { key, leaf } of holders.find(hash)) {
      if (leaf < 0 || key.equals(except)) continue;
      const offset = leaf * CHUNK_SIZE;
      if (objects.has(key)) return { path: layout.object(cidOfKey(key).toString()), offset };
      const partial = this.find(key);
      if (partial?.hasLeaf(leaf)) return { path: partial.path, offset };
    }
    return undefined;
  }

  remove(key: Buffer): void {
    const { layout, queue, partials, objects } = this.#components;
    const text = keyText(key);
    this.#live.get(text)?.drop();
    this.#live.delete(text);
    partials.remove(key, objects.has(key));
    const name = cidOfKey(key).toString();
    queue.push({ op: 'unlink', path: layout.partial(name) });
    queue.push({ op: 'unlink', path: layout.bits(name) });
  }

  bytes(): number {
    let bytes = 0;
    for (const { key } of this.#components.partials.committedRows({ limit: MAX_ROWS })) {
      bytes += this.find(key)?.bytesHere ?? 0;
    }
    return bytes;
  }

  close(): void {
    for (const partial of this.#live.values()) {
      partial.writeBits();
      partial.drop();
    }
  }
}
