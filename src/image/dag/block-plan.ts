import { Fault } from '../../base/fault.ts';
import { CHUNK_SIZE } from './file-dag.ts';

/**
 * Every data block of one manifest root in canonical order: layer by layer, bottom first; in a layer each object in
 * index order, leaf by leaf, then the leaves of the recipe; a block that came before is not listed again. All of
 * them are raw blocks with a sha2-256, so 32 bytes name one. Two stations that hold the indexes compute the same
 * plan, so a bitmap over it says who has what.
 */
export interface BlockPlan {
  readonly count: number;
  /** `count` x 32 bytes. */
  readonly digests: Uint8Array;
  /** Plain bytes of each block, at most 262,144. */
  readonly sizes: Uint32Array;
}

/** Collects the blocks of a plan in typed arrays: 36 bytes a block and 8 to 16 for the table, no objects. */
export interface BlockPlanBuilder {
  /**
   * Takes the next block in canonical order; one that came before keeps its place.
   * @param digest 32 bytes, copied
   * @param size bytes, at most 262,144
   * @returns its index in the plan
   * @throws Fault `invalid/plan-too-big` (fields: limit), `invalid/bad-plan-block`, `corrupt/skewed-digests`
   */
  add(digest: Uint8Array, size: number): number;
  /** -1 where it is not in the plan. */
  indexOf(digest: Uint8Array): number;
  /** The plan so far, exactly sized copies; the builder goes on working. */
  finish(): BlockPlan;
}

export interface BlockPlanLimits {
  /** Default 2^24: 4 TiB of full blocks. */
  readonly maxBlocks?: number;
}

export function createBlockPlanBuilder(limits: BlockPlanLimits = {}): BlockPlanBuilder {
  return new DigestTable(limits.maxBlocks ?? 2 ** 24);
}

const WORDS = 8;
const EMPTY = 0;

// Linear probing over a table at most half full: among 2^24 real sha2-256 digests a run of more than 256 is
// expected once in 10^14 tables. An index lists digests before anything proves them, so made-up ones that all
// begin alike must end the work, not make it quadratic.
const MAX_PROBES = 256;

class DigestTable implements BlockPlanBuilder {
  readonly #maxBlocks: number;
  #count = 0;
  #words = new Uint32Array(1024 * WORDS);
  #bytes = new Uint8Array(this.#words.buffer);
  #sizes = new Uint32Array(1024);
  /** Plan index + 1 by place; its length is a power of two. */
  #slots = new Uint32Array(2048);
  readonly #key = new Uint32Array(WORDS);
  readonly #keyBytes = new Uint8Array(this.#key.buffer);

  constructor(maxBlocks: number) {
    this.#maxBlocks = maxBlocks;
  }

  add(digest: Uint8Array, size: number): number {
    if (digest.length !== 32 || !(size >= 0 && size <= CHUNK_SIZE)) {
      throw new Fault('invalid', 'bad-plan-block', `a block of ${size} bytes cannot stand in a plan`, {
        fields: { size },
      });
    }
    this.#keyBytes.set(digest);
    const found = this.#probe();
    if (found >= 0) return found;
    if (this.#count >= this.#maxBlocks) {
      throw new Fault('invalid', 'plan-too-big', `an image of more than ${this.#maxBlocks} blocks`, {
        fields: { limit: this.#maxBlocks },
      });
    }
    let slot = ~found;
    if (this.#count * 2 >= this.#slots.length) {
      this.#widen();
      slot = ~this.#probe();
    }
    const index = this.#count++;
    this.#makeRoom(index);
    this.#words.set(this.#key, index * WORDS);
    this.#sizes[index] = size;
    this.#slots[slot] = index + 1;
    return index;
  }

  indexOf(digest: Uint8Array): number {
    if (digest.length !== 32) return -1;
    this.#keyBytes.set(digest);
    return Math.max(-1, this.#probe());
  }

  finish(): BlockPlan {
    return {
      count: this.#count,
      digests: this.#bytes.slice(0, this.#count * 32),
      sizes: this.#sizes.slice(0, this.#count),
    };
  }

  /** The index of `#key`, or `~slot` of the free place for it. */
  #probe(): number {
    const mask = this.#slots.length - 1;
    const key = this.#key;
    let slot = (key[0] as number) & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const taken = this.#slots[slot] as number;
      if (taken === EMPTY) return ~slot;
      if (this.#holdsKey(taken - 1)) return taken - 1;
      slot = (slot + 1) & mask;
    }
    throw new Fault(
      'corrupt',
      'skewed-digests',
      'too many blocks whose hashes begin alike: they are made up',
    );
  }

  #holdsKey(index: number): boolean {
    const at = index * WORDS;
    for (let word = 0; word < WORDS; word++) {
      if (this.#words[at + word] !== this.#key[word]) return false;
    }
    return true;
  }

  #makeRoom(index: number): void {
    if (index < this.#sizes.length) return;
    const words = new Uint32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
    this.#bytes = new Uint8Array(words.buffer);
    const sizes = new Uint32Array(this.#sizes.length * 2);
    sizes.set(this.#sizes);
    this.#sizes = sizes;
  }

  #widen(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#count; index++) {
      let slot = (this.#words[index * WORDS] as number) & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}
