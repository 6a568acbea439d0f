import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { NODES_PER_CHAIN } from './node-number.ts';
import { readStart } from './read-start.ts';

/**
 * What the kernel keeps of open files beyond the life of a mount server, so that the next one knows it: 16 bytes a
 * slot, little-endian, at 16 times the slot's number:
 *
 * | offset | |
 * |---|---|
 * | 0 | u64 node; 0: the slot is free |
 * | 8 | i32 passthrough id of the node; 0: none |
 * | 12 | u32 READ-mode opens of the node |
 *
 * A slot is one pwrite within a page: a killed process leaves the old or the new one, nothing between. It is not
 * brought to disk: after a power loss the FUSE connection is gone, and with it all that the file says.
 */
export interface SlotFile {
  /** @throws what writing fails with */
  write(slot: number, node: number, backingId: number, reads: number): void;
  close(): void;
}

export interface Slot {
  readonly slot: number;
  readonly node: number;
  readonly backingId: number;
  readonly reads: number;
}

export const SLOT_SIZE = 16;
/** 16 MiB of file: beyond it files are opened in READ mode. */
export const MAX_SLOTS = 2 ** 20;
const MAX_BACKING_ID = 2 ** 31 - 1;

/** @throws what writing fails with */
export type OpenSlotFile = (path: string, resumed: boolean) => { file: SlotFile; slots: readonly Slot[] };

/**
 * @param resumed the slots in it are of this FUSE connection; else they are dropped
 * @throws what opening and reading fail with
 */
export const openSlotFile: OpenSlotFile = (path, resumed) => {
  // 0600: it is nobody else's. `a+` would append, so: made where it is missing, then opened to be changed.
  closeSync(openSync(path, 'a', 0o600));
  const file = openSync(path, 'r+');
  const bytes = new Uint8Array(SLOT_SIZE);
  const view = new DataView(bytes.buffer);
  let slots: Slot[] = [];
  if (resumed) slots = readSlots(readAll(file));
  else ftruncateSync(file, 0);
  return {
    slots,
    file: {
      write(slot, node, backingId, reads) {
        // Two halves: a BigInt an open would be garbage.
        view.setUint32(0, node % 2 ** 32, true);
        view.setUint32(4, Math.floor(node / 2 ** 32), true);
        view.setInt32(8, backingId, true);
        view.setUint32(12, reads, true);
        writeSync(file, bytes, 0, SLOT_SIZE, slot * SLOT_SIZE);
      },
      close: () => closeSync(file),
    },
  };
};

function readAll(file: number): Uint8Array {
  return readStart(file, Math.min(fstatSync(file).size, MAX_SLOTS * SLOT_SIZE));
}

/**
 * The slots that mean something, in order; what is no node of a chain, or a node a second time, is left out: its slot is
 * free. Never throws: a file that is not ours costs passthrough opens, not the mount.
 */
export function readSlots(bytes: Uint8Array): Slot[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slots: Slot[] = [];
  const seen = new Set<number>();
  const count = Math.min(MAX_SLOTS, Math.floor(bytes.length / SLOT_SIZE));
  for (let slot = 0; slot < count; slot++) {
    const at = slot * SLOT_SIZE;
    const node = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    const backingId = view.getInt32(at + 8, true);
    const reads = view.getUint32(at + 12, true);
    if (node < NODES_PER_CHAIN || !Number.isSafeInteger(node) || seen.has(node)) continue;
    if (backingId < 0 || backingId > MAX_BACKING_ID || (backingId === 0 && reads === 0)) continue;
    seen.add(node);
    slots.push({ slot, node, backingId, reads });
  }
  return slots;
}
