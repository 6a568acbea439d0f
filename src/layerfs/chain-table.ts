import type { Clock } from '../base/clock.ts';
import { Fault, toFault } from '../base/fault.ts';
import { MAX_MOUNTED_LAYERS } from '../config/mount-limits.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import type { Logger } from '../observe/logger.ts';
import type { Chain } from './chain.ts';
import type { ChainRecord } from './chain-messages.ts';
import { type ChainTree, createChainTree } from './chain-tree.ts';
import type { IndexShelf } from './index-shelf.ts';
import { MAX_CHAIN_INODES, MAX_CHAIN_NUMBER, NODES_PER_CHAIN } from './node-number.ts';

/** All chains, by number and by key. Their indexes are read when somebody looks into them. */
export interface ChainTable {
  /** Known already: only `complete` and `recording` are taken over. @throws Fault `invalid/bad-chain`, `exists/chain-number` */
  add(record: ChainRecord): Chain;
  forget(key: string): Chain | undefined;
  get(key: string): Chain | undefined;
  /** The chain of a node; `undefined` for one that is above all chains or was forgotten. */
  ofNode(node: number): Chain | undefined;
  readonly size: number;
  all(): IterableIterator<Chain>;
}

export interface ChainTableComponents {
  readonly shelf: IndexShelf;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface ChainTableSettings {
  /**
   * Bytes of decoded indexes: beyond it those of the chains that were used least recently go, and are read again when
   * they are asked for. The last one used stays however big it is.
   */
  readonly indexBytes: number;
}

/** Beside each other on one host; each costs about 200 bytes while nobody looks into it. */
const MAX_CHAINS = 10_000;
/** An index that could not be read is tried again after this. */
const RETRY_MS = 1000;

export function createChainTable(components: ChainTableComponents, settings: ChainTableSettings): ChainTable {
  return new LazyChains(components, settings);
}

class LazyChains implements ChainTable {
  readonly #components: ChainTableComponents;
  readonly #indexBytes: number;
  readonly #byKey = new Map<string, LazyChain>();
  readonly #byNumber = new Map<number, LazyChain>();
  /** Those that have a tree, least recently loaded first. */
  readonly #loaded = new Set<LazyChain>();
  #last: LazyChain | undefined;

  constructor(components: ChainTableComponents, settings: ChainTableSettings) {
    this.#components = components;
    this.#indexBytes = settings.indexBytes;
  }

  add(record: ChainRecord): Chain {
    const known = this.#byKey.get(record.key);
    if (known !== undefined) {
      known.complete = record.complete;
      known.recording = record.recording;
      return known;
    }
    checkRecord(record);
    if (this.#byNumber.has(record.number)) {
      throw new Fault('exists', 'chain-number', `the chain number ${record.number} is taken`, {
        fields: { number: record.number, key: record.key },
      });
    }
    if (this.#byKey.size >= MAX_CHAINS) {
      throw new Fault('unavailable', 'too-many-chains', `${MAX_CHAINS} chains are known already`, {
        fields: { limit: MAX_CHAINS },
      });
    }
    const chain = new LazyChain(record, (one) => this.#load(one));
    this.#byKey.set(chain.key, chain);
    this.#byNumber.set(chain.number, chain);
    return chain;
  }

  forget(key: string): Chain | undefined {
    const chain = this.#byKey.get(key);
    if (chain === undefined) return undefined;
    this.#drop(chain);
    this.#byKey.delete(key);
    this.#byNumber.delete(chain.number);
    if (this.#last === chain) this.#last = undefined;
    return chain;
  }

  get(key: string): Chain | undefined {
    return this.#byKey.get(key);
  }

  ofNode(node: number): Chain | undefined {
    const last = this.#last;
    if (last !== undefined && node >= last.base && node - last.base < NODES_PER_CHAIN) return last;
    const chain = this.#byNumber.get(Math.floor(node / NODES_PER_CHAIN));
    if (chain === undefined) return undefined;
    this.#last = chain;
    if (this.#loaded.delete(chain)) this.#loaded.add(chain);
    return chain;
  }

  get size(): number {
    return this.#byKey.size;
  }

  all(): IterableIterator<Chain> {
    return this.#byKey.values();
  }

  #load(chain: LazyChain): ChainTree | undefined {
    const { shelf, logger, clock } = this.#components;
    if (clock.monotonic() < chain.retryAt) return undefined;
    const taken: string[] = [];
    try {
      const indexes: LayerIndex[] = [];
      for (const cid of chain.indexes) {
        indexes.push(shelf.take(cid));
        taken.push(cid);
      }
      checkInodes(chain, indexes);
      const tree = createChainTree(indexes);
      chain.entries = indexes.reduce((sum, index) => sum + index.entryCount, 0);
      chain.blocks = indexes.reduce((sum, index) => sum + contentBlocks(index), 0);
      this.#loaded.add(chain);
      this.#makeRoom(chain);
      return tree;
    } catch (thrown) {
      for (const cid of taken) shelf.giveBack(cid);
      chain.retryAt = clock.monotonic() + RETRY_MS;
      const { message, code, fields } = toFault(thrown);
      logger.error(
        { chain: chain.key, code, ...fields },
        `the chain ${chain.key} cannot be read: ${message}`,
      );
      return undefined;
    }
  }

  #makeRoom(except: LazyChain): void {
    // Ten trees of 27,000 entries that were walked once held 9 MB of directories; one that is in use finds its own again in microseconds.
    for (const chain of this.#loaded) chain.trim();
    for (const chain of this.#loaded) {
      if (this.#components.shelf.bytes <= this.#indexBytes) return;
      if (chain !== except) this.#drop(chain);
    }
  }

  #drop(chain: LazyChain): void {
    chain.unload();
    if (!this.#loaded.delete(chain)) return;
    for (const cid of chain.indexes) this.#components.shelf.giveBack(cid);
  }
}

class LazyChain implements Chain {
  readonly number: number;
  readonly key: string;
  readonly indexes: readonly string[];
  readonly base: number;
  complete: boolean;
  recording: boolean;
  quarantined = false;
  passthroughOpens = 0;
  readOpens = 0;
  entries = 0;
  blocks = 0;
  /** Monotonic milliseconds before which it is not read again. */
  retryAt = Number.NEGATIVE_INFINITY;
  readonly #load: (chain: LazyChain) => ChainTree | undefined;
  #tree: ChainTree | undefined;

  constructor(record: ChainRecord, load: (chain: LazyChain) => ChainTree | undefined) {
    this.number = record.number;
    this.key = record.key;
    this.indexes = record.indexes;
    this.base = record.number * NODES_PER_CHAIN;
    this.complete = record.complete;
    this.recording = record.recording;
    this.#load = load;
  }

  tree(): ChainTree | undefined {
    this.#tree ??= this.#load(this);
    return this.#tree;
  }

  trim(): void {
    this.#tree?.trim();
  }

  unload(): void {
    this.#tree = undefined;
  }
}

function contentBlocks(index: LayerIndex): number {
  let blocks = 0;
  for (let object = 0; object < index.objectCount; object++)
    blocks += Math.ceil(index.objectSize(object) / 4096);
  return blocks;
}

function checkRecord({ number, key, indexes }: ChainRecord): void {
  const why =
    !Number.isInteger(number) || number < 1 || number > MAX_CHAIN_NUMBER
      ? `the number ${number}`
      : !/^[\x21-\x2e\x30-\x7e]{1,255}$/.test(key) || key === '.' || key === '..'
        ? 'a name that is no file name'
        : indexes.length === 0 || indexes.length > MAX_MOUNTED_LAYERS
          ? `${indexes.length} layers`
          : undefined;
  if (why === undefined) return;
  throw new Fault('invalid', 'bad-chain', `a chain cannot have ${why}`, { fields: { number, key } });
}

function checkInodes(chain: Chain, indexes: readonly LayerIndex[]): void {
  const inodes = indexes.reduce((sum, index) => sum + index.entryCount, 1);
  if (inodes <= MAX_CHAIN_INODES) return;
  throw new Fault('invalid', 'chain-too-big', `the chain ${chain.key} has ${inodes} entries`, {
    fields: { chain: chain.key, value: inodes, limit: MAX_CHAIN_INODES },
  });
}
