/** Slots by node: open addressing over typed arrays, 12 bytes a slot and 8 to 16 of places, since a map's entry of a double takes 60. */
export interface NodeSlots {
  /** -1 where the node has none. */
  find(node: number): number;
  /** A free slot; the node has none yet. @returns -1 when all are taken */
  take(node: number): number;
  /** For a slot that is taken already: those read from a file. */
  place(slot: number, node: number): void;
  free(slot: number): void;
  /** 0 where the slot is free. */
  node(slot: number): number;
  /** One above the highest slot that was ever taken. */
  readonly end: number;
}

/** @param most slots */
export function createNodeSlots(most: number): NodeSlots {
  return new HashedSlots(most);
}

const FIRST_SIZE = 256;

class HashedSlots implements NodeSlots {
  readonly #most: number;
  #nodes = new Float64Array(FIRST_SIZE);
  /** Slot + 1 by hash, linear probing; twice as many places as slots, so that a run is short. */
  #places = new Int32Array(FIRST_SIZE * 2);
  readonly #freed: number[] = [];
  end = 0;

  constructor(most: number) {
    this.#most = most;
  }

  #home(node: number): number {
    // Neighbours in a directory are neighbours in number: Fibonacci hashing spreads them, the chain's number too.
    const mixed = Math.imul(node >>> 0, 0x9e3779b1) ^ Math.imul((node / 2 ** 32) >>> 0, 0x85ebca6b);
    return (mixed >>> 7) & (this.#places.length - 1);
  }

  find(node: number): number {
    const mask = this.#places.length - 1;
    for (let at = this.#home(node); ; at = (at + 1) & mask) {
      const slot = (this.#places[at] as number) - 1;
      if (slot < 0 || this.#nodes[slot] === node) return slot;
    }
  }

  take(node: number): number {
    const slot = this.#freed.pop() ?? this.end;
    if (slot >= this.#most) return -1;
    this.place(slot, node);
    return slot;
  }

  place(slot: number, node: number): void {
    if (slot >= this.#nodes.length) this.#grow(slot + 1);
    for (; this.end < slot; this.end++) this.#freed.push(this.end);
    if (this.end === slot) this.end++;
    this.#nodes[slot] = node;
    this.#insert(slot, node);
  }

  #insert(slot: number, node: number): void {
    const mask = this.#places.length - 1;
    let at = this.#home(node);
    while (this.#places[at] !== 0) at = (at + 1) & mask;
    this.#places[at] = slot + 1;
  }

  #grow(slots: number): void {
    let size = this.#nodes.length;
    while (size < slots) size *= 2;
    const nodes = new Float64Array(size);
    nodes.set(this.#nodes);
    this.#nodes = nodes;
    this.#places = new Int32Array(size * 2);
    for (let slot = 0; slot < this.end; slot++)
      if (nodes[slot] !== 0) this.#insert(slot, nodes[slot] as number);
  }

  free(slot: number): void {
    const mask = this.#places.length - 1;
    let hole = this.#home(this.#nodes[slot] as number);
    while (this.#places[hole] !== slot + 1) hole = (hole + 1) & mask;
    this.#nodes[slot] = 0;
    this.#freed.push(slot);
    // What was pushed past the hole moves back into it, so that a search never ends too early (Knuth 6.4, algorithm R).
    for (let at = (hole + 1) & mask; this.#places[at] !== 0; at = (at + 1) & mask) {
      const home = this.#home(this.#nodes[(this.#places[at] as number) - 1] as number);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#places[hole] = this.#places[at] as number;
      hole = at;
    }
    this.#places[hole] = 0;
  }

  node(slot: number): number {
    return this.#nodes[slot] ?? 0;
  }
}
