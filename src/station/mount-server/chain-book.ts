import { Fault } from '../../base/fault.ts';
import type { ChainRecord } from '../../layerfs/chain-messages.ts';
import type { ChainSpec } from '../../mounts/link/link-messages.ts';
import { readState, writeState } from './state-file.ts';

/** A chain, or the number of one that was forgotten. */
export interface BookedChain extends ChainRecord {
  readonly forgotten?: boolean;
  readonly quarantined?: boolean;
}

/**
 * The chains of one FUSE connection and their numbers, in a file that outlives this process. The kernel remembers nodes,
 * which follow from the number, for a day: so a key keeps its number, also when it was forgotten and comes again.
 */
export interface ChainBook {
  /** Known ones, without those that were forgotten. */
  list(): readonly BookedChain[];
  get(key: string): BookedChain | undefined;
  /**
   * On disk before it returns.
   * @throws Fault `exists/other-chain` where the key stands for other layers; `unavailable/too-many-chains`
   */
  add(spec: ChainSpec): BookedChain;
  forget(key: string): void;
}

/** Numbers are 21 bits of a node id; a host that mounts one new image a minute uses them up in four years. */
const MAX_CHAINS = 2 ** 21 - 1;
/** Forgotten numbers cost file size alone: about a hundred bytes each. */
const MAX_KEPT = 100_000;

/** @param path `<root>/run/chains.json` */
export function openChainBook(path: string): ChainBook {
  const chains = new Map<string, BookedChain>();
  let last = 0;
  for (const record of (readState(path) ?? []) as readonly BookedChain[]) {
    chains.set(record.key, record);
    last = Math.max(last, record.number);
  }
  const known = (key: string): BookedChain | undefined => {
    const found = chains.get(key);
    return found?.forgotten === true ? undefined : found;
  };

  function put(record: BookedChain): void {
    chains.set(record.key, record);
    writeState(path, [...chains.values()]);
  }

  return {
    list: () => [...chains.values()].filter(({ forgotten }) => forgotten !== true),
    get: known,
    add({ key, indexes, complete, recording, quarantined = false }) {
      const before = chains.get(key);
      if (before?.forgotten !== true && before !== undefined && !sameLayers(before.indexes, indexes)) {
        throw new Fault('exists', 'other-chain', `the chain ${key} is known with other layers`, {
          fields: { key },
        });
      }
      const isNumbered = before !== undefined && sameLayers(before.indexes, indexes);
      if (!isNumbered && (last >= MAX_CHAINS || chains.size >= MAX_KEPT)) {
        throw new Fault(
          'unavailable',
          'too-many-chains',
          'more images were mounted than there are numbers: unmount all and stop with --all, then mount again',
        );
      }
      const number = isNumbered ? before.number : ++last;
      const record = { number, key, indexes, complete, recording, quarantined };
      put(record);
      return record;
    },
    forget(key) {
      const found = known(key);
      if (found !== undefined) put({ ...found, forgotten: true });
    },
  };
}

function sameLayers(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((index, layer) => index === other[layer]);
}
