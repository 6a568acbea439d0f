/** A bounded cache of what can be computed again. */
export interface Recent<K, V> {
  get(key: K): V | undefined;
  /** @param weight what it counts against the bound; default 1 */
  set(key: K, value: V, weight?: number): void;
  clear(): void;
}

/**
 * Two generations: what was not asked for while a whole generation came goes. A hit in the young one is a plain map
 * look-up, where a strict order of use would cost two map changes a hit.
 * @param bound weight of one generation; both together hold at most twice that, and one thing beyond it
 */
export function createRecent<K, V>(bound: number): Recent<K, V> {
  return new TwoGenerations<K, V>(bound);
}

interface Kept<V> {
  readonly value: V;
  readonly weight: number;
}

class TwoGenerations<K, V> implements Recent<K, V> {
  readonly #bound: number;
  #young = new Map<K, Kept<V>>();
  #old = new Map<K, Kept<V>>();
  #weight = 0;

  constructor(bound: number) {
    this.#bound = bound;
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.value;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#keep(key, old);
    return old.value;
  }

  set(key: K, value: V, weight = 1): void {
    const before = this.#young.get(key);
    if (before !== undefined) this.#weight -= before.weight;
    this.#old.delete(key);
    this.#keep(key, { value, weight });
  }

  #keep(key: K, kept: Kept<V>): void {
    this.#young.set(key, kept);
    this.#weight += kept.weight;
    if (this.#weight <= this.#bound) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#weight = 0;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#weight = 0;
  }
}
