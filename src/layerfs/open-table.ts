import type { Logger } from '../observe/logger.ts';
import { createNodeSlots, type NodeSlots } from './node-slots.ts';
import { MAX_SLOTS, type Slot, type SlotFile } from './slot-file.ts';

/**
 * How the kernel has each node open. It takes a node's files in READ mode or in passthrough, never in both at a time
 * (the open that comes second gets EIO), and in passthrough all with one id. So:
 *
 * - a node that has an id and no READ opens is opened in passthrough, always; one with READ opens in READ mode;
 * - an id stays until the chain is forgotten.
 *
 * What the file says is never less than what the kernel has, at any moment at which the process may be killed: counts go up before
 * the reply is written, and down only after it ({@link flush}, before the next request is served). Too high a count costs a
 * node its passthrough until the kernel forgets it, one too low would cost a reader an EIO.
 */
export interface OpenTable {
  /** 0 where the node has none. */
  backingId(node: number): number;
  /** READ opens that the kernel may have. */
  reads(node: number): number;
  /** @returns false where there is no slot for it, or it could not be written: then it must not be used */
  keepBackingId(node: number, id: number): boolean;
  /** Before the reply. @returns the handle of the new READ open */
  countRead(node: number): number;
  /** The kernel closed it, or never got it. */
  uncountRead(node: number, handle: number): void;
  /** Nothing of the node is open. Opens of this process's are counted exactly; what an earlier one left is dropped. */
  forgetNode(node: number): void;
  /** Drops all nodes in `[from, to)`. @returns their ids */
  forgetNodes(from: number, to: number): number[];
  /** Writes the counts that went down. */
  flush(): void;
  /** Why nothing more may be opened in passthrough that was not before. */
  readonly closedWhy: string | undefined;
  close(): void;
}

export interface OpenTableComponents {
  readonly file: SlotFile;
  /** What an earlier process left in the file. */
  readonly slots: readonly Slot[];
  readonly logger: Logger;
}

export interface OpenTableSettings {
  /**
   * Handles begin above it, all earlier processes' are below: `2 * milliseconds since 1970 * 2^9` leaves room for 512
   * opens a millisecond, and stays below 2^53 until the year 2248.
   */
  readonly handlesAbove: number;
  readonly maxSlots?: number;
}

/** An odd handle is a READ open's. */
export function isReadHandle(handle: number): boolean {
  return handle % 2 === 1;
}

export function createOpenTable(components: OpenTableComponents, settings: OpenTableSettings): OpenTable {
  return new SlottedOpens(components, settings);
}

class SlottedOpens implements OpenTable {
  readonly #file: SlotFile;
  readonly #logger: Logger;
  readonly #slots: NodeSlots;
  readonly #firstHandle: number;
  #handle: number;
  #ids = new Int32Array(256);
  /** READ opens of this process, and what the file said of earlier ones. */
  #own = new Uint32Array(256);
  #inherited = new Uint32Array(256);
  /** Slots whose count went down since the last flush. */
  readonly #lower: number[] = [];
  closedWhy: string | undefined;

  constructor({ file, slots, logger }: OpenTableComponents, settings: OpenTableSettings) {
    this.#file = file;
    this.#logger = logger;
    this.#slots = createNodeSlots(settings.maxSlots ?? MAX_SLOTS);
    this.#firstHandle = Math.ceil(settings.handlesAbove / 2) * 2 + 1;
    this.#handle = this.#firstHandle;
    for (const { slot, node, backingId, reads } of slots) {
      this.#slots.place(slot, node);
      this.#makeRoom(slot);
      this.#ids[slot] = backingId;
      this.#inherited[slot] = reads;
    }
  }

  backingId(node: number): number {
    const slot = this.#slots.find(node);
    return slot < 0 ? 0 : (this.#ids[slot] as number);
  }

  reads(node: number): number {
    const slot = this.#slots.find(node);
    return slot < 0 ? 0 : (this.#own[slot] as number) + (this.#inherited[slot] as number);
  }

  keepBackingId(node: number, id: number): boolean {
    const slot = this.#slotFor(node);
    if (slot < 0) return false;
    this.#ids[slot] = id;
    if (this.#write(slot)) return true;
    this.#ids[slot] = 0;
    this.#freeIfEmpty(slot);
    return false;
  }

  countRead(node: number): number {
    const handle = this.#handle;
    this.#handle += 2;
    const slot = this.#slotFor(node);
    // Without a slot it is not counted, and nothing more goes into passthrough (closedWhy).
    if (slot < 0) return handle;
    this.#own[slot] = (this.#own[slot] as number) + 1;
    this.#write(slot);
    return handle;
  }

  uncountRead(node: number, handle: number): void {
    const slot = this.#slots.find(node);
    if (slot < 0) return;
    const counts = handle >= this.#firstHandle ? this.#own : this.#inherited;
    if (counts[slot] === 0) return;
    counts[slot] = (counts[slot] as number) - 1;
    this.#lower.push(slot);
  }

  forgetNode(node: number): void {
    const slot = this.#slots.find(node);
    if (slot < 0 || this.#inherited[slot] === 0) return;
    this.#inherited[slot] = 0;
    this.#lower.push(slot);
  }

  forgetNodes(from: number, to: number): number[] {
    this.flush();
    const ids: number[] = [];
    for (let slot = 0; slot < this.#slots.end; slot++) {
      const node = this.#slots.node(slot);
      if (node < from || node >= to) continue;
      const id = this.#ids[slot] as number;
      if (id > 0) ids.push(id);
      this.#ids[slot] = 0;
      this.#own[slot] = 0;
      this.#inherited[slot] = 0;
      this.#freeIfEmpty(slot);
    }
    return ids;
  }

  flush(): void {
    while (this.#lower.length > 0) {
      const slot = this.#lower.pop() as number;
      if (this.#slots.node(slot) === 0 || this.#freeIfEmpty(slot)) continue;
      this.#write(slot);
    }
  }

  #slotFor(node: number): number {
    const found = this.#slots.find(node);
    if (found >= 0) return found;
    const slot = this.#slots.take(node);
    if (slot < 0) this.#closeFor('more files were opened than can be kept in mind');
    else this.#makeRoom(slot);
    return slot;
  }

  #makeRoom(slot: number): void {
    if (slot < this.#ids.length) return;
    let size = this.#ids.length;
    while (size <= slot) size *= 2;
    const [ids, own, inherited] = [new Int32Array(size), new Uint32Array(size), new Uint32Array(size)];
    ids.set(this.#ids);
    own.set(this.#own);
    inherited.set(this.#inherited);
    [this.#ids, this.#own, this.#inherited] = [ids, own, inherited];
  }

  #freeIfEmpty(slot: number): boolean {
    if (this.#ids[slot] !== 0 || this.#own[slot] !== 0 || this.#inherited[slot] !== 0) return false;
    this.#slots.free(slot);
    this.#writeSlot(slot, 0, 0, 0);
    return true;
  }

  #write(slot: number): boolean {
    const reads = (this.#own[slot] as number) + (this.#inherited[slot] as number);
    return this.#writeSlot(slot, this.#slots.node(slot), this.#ids[slot] as number, reads);
  }

  #writeSlot(slot: number, node: number, id: number, reads: number): boolean {
    try {
      this.#file.write(slot, node, id, reads);
      return true;
    } catch (error) {
      this.#closeFor(`the file of open files cannot be written: ${(error as Error).message}`);
      return false;
    }
  }

  #closeFor(why: string): void {
    if (this.closedWhy !== undefined) return;
    this.closedWhy = why;
    this.#logger.warn({ why }, `files are no longer opened in passthrough: ${why}`);
  }

  close(): void {
    this.flush();
    this.#file.close();
  }
}
