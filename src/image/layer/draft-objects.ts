import { createByteHeap } from './byte-heap.ts';
import type { DraftObject } from './draft-object.ts';
import { latin1 } from './latin1.ts';

/** Objects that the entries of a tar had, each once, by number; about 140 bytes each. */
export interface DraftObjects {
  /** Copies it. @returns its number */
  keep(object: DraftObject): number;
  object(number: number): DraftObject;
}

export function createDraftObjects(): DraftObjects {
  const numbers = new Map<string, number>();
  const hashes = createByteHeap();
  const sizes: number[] = [];
  const leaves = new Map<number, Uint8Array>();
  return {
    keep(object) {
      const key = latin1(object.hash);
      const known = numbers.get(key);
      if (known !== undefined) return known;
      const number = sizes.push(object.size) - 1;
      numbers.set(key, number);
      hashes.append(object.hash);
      if (object.leaves !== undefined) leaves.set(number, new Uint8Array(object.leaves));
      return number;
    },
    object(number) {
      const hash = hashes.bytes().subarray(number * 32, number * 32 + 32);
      const own = leaves.get(number);
      const size = sizes[number] as number;
      return own === undefined ? { hash, size } : { hash, size, leaves: own };
    },
  };
}
