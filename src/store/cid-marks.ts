const START_SLOTS = 1024;

/**
 * A set of sha2-256 digests by their first eight bytes, 8 to 16 bytes each. A false positive (one in 2^64 / size)
 * only keeps garbage.
 */
export class CidMarks {
  /** Two words a slot; both zero: free. */
  #slots = new Uint32Array(START_SLOTS * 2);
  #mask = START_SLOTS - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Answers false where it was in already. */
  add(digest: Uint8Array): boolean {
    if (this.#size * 2 > this.#mask) this.#grow();
    return this.#insert(word(digest, 0), word(digest, 4) || 1);
  }

  has(digest: Uint8Array): boolean {
    const high = word(digest, 0);
    const low = word(digest, 4) || 1;
    for (let slot = high & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const found = this.#slots[slot * 2 + 1];
      if (found === 0) return false;
      if (found === low && this.#slots[slot * 2] === high) return true;
    }
  }

  #insert(high: number, low: number): boolean {
    for (let slot = high & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const found = this.#slots[slot * 2 + 1];
      if (found === 0) {
        this.#slots[slot * 2] = high;
        this.#slots[slot * 2 + 1] = low;
        this.#size++;
        return true;
      }
      if (found === low && this.#slots[slot * 2] === high) return false;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    this.#mask = old.length - 1;
    this.#size = 0;
    for (let at = 0; at < old.length; at += 2) {
      const low = old[at + 1] as number;
      if (low !== 0) this.#insert(old[at] as number, low);
    }
  }
}

function word(digest: Uint8Array, at: number): number {
  return (
    ((digest[at] as number) |
      ((digest[at + 1] as number) << 8) |
      ((digest[at + 2] as number) << 16) |
      ((digest[at + 3] as number) << 24)) >>>
    0
  );
}
