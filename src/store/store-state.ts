import { readFileSync } from 'node:fs';
import type { Table } from './table.ts';

/** The store's own row: how it was left. */
export interface StoreState {
  /** How often it was opened. */
  readonly openings: number;
  /** Boot of the machine in which it was last open; another one now may mean a power loss. */
  readonly bootId: string;
  /** All that was born below it is on disk. */
  readonly flushed: number;
  /** It was closed in order, and these bytes are right. */
  readonly clean: boolean;
  readonly objectBytes: number;
  readonly blockBytes: number;
}

const KEY = Buffer.from('state');

export function readStoreState(table: Table): StoreState | undefined {
  const value = table.get(KEY);
  return value && (JSON.parse(value.toString()) as StoreState);
}

export function writeStoreState(table: Table, state: StoreState): void {
  table.put(KEY, Buffer.from(JSON.stringify(state)));
}

/** The kernel's random id of this boot (random(4)). */
export function currentBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
