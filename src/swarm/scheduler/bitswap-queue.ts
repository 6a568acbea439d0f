import type { CID } from 'multiformats/cid';
import { verifyBlock } from '../../image/dag/dag-node.ts';
import type { BlockFetcherComponents } from './fetcher-components.ts';
import type { Want } from './want.ts';

/** Blocks asked by bitswap at once. */
const MAX_GETS = 8;
/** One try: a lone hanging peer is waited for until the signal aborts (Helia 7). */
const TRY_MS = 10_000;

export interface BitswapListener {
  arrived(want: Want, bytes: Uint8Array): void;
  /** It did not come; the want is wanted anew. */
  released(want: Want): void;
}

/** The last resort: single blocks from foreign IPFS nodes, a few at a time, each with its own time-out. */
export class BitswapQueue {
  readonly #components: BlockFetcherComponents;
  readonly #listener: BitswapListener;
  readonly #gets = new Map<Want, AbortController>();

  constructor(components: BlockFetcherComponents, listener: BitswapListener) {
    this.#components = components;
    this.#listener = listener;
  }

  get room(): boolean {
    return this.#components.bitswap !== undefined && this.#gets.size < MAX_GETS;
  }

  get(want: Want, cid: CID): void {
    const ended = new AbortController();
    this.#gets.set(want, ended);
    void this.#get(want, cid, ended);
  }

  cancel(want: Want): void {
    this.#gets.get(want)?.abort();
    this.#gets.delete(want);
  }

  stop(): void {
    for (const ended of this.#gets.values()) ended.abort();
    this.#gets.clear();
  }

  async #get(want: Want, cid: CID, ended: AbortController): Promise<void> {
    const deadline = setTimeout(() => ended.abort(), TRY_MS);
    try {
      const bytes = await this.#components.bitswap!.get(cid, ended.signal);
      verifyBlock(cid, bytes);
      if (this.#gets.delete(want)) this.#listener.arrived(want, bytes);
    } catch (thrown) {
      this.#components.logger.debug({ block: cid.toString(), reason: String(thrown) }, 'no block by bitswap');
      if (this.#gets.delete(want)) this.#listener.released(want);
    } finally {
      clearTimeout(deadline);
    }
  }
}
