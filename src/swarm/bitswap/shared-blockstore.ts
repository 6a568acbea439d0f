import { BaseBlockstore } from 'blockstore-core';
import { NotFoundError } from 'interface-store';
import type { CID } from 'multiformats/cid';
import type { BlockStore } from '../../store/block-store.ts';

/** Foreign IPFS nodes do not take more than this in one block either (boxo, 2 MiB a message). */
export const MAX_BITSWAP_BLOCK = 2 * 1024 * 1024;

/** What bitswap may give to peers: the shared blocks and nothing else that is here. Nothing is ever written to it. */
export class SharedBlockstore extends BaseBlockstore {
  readonly #blocks: BlockStore;

  constructor(blocks: BlockStore) {
    super();
    this.#blocks = blocks;
  }

  override has(cid: CID): boolean {
    const size = this.#blocks.size(cid, { sharedOnly: true });
    return size !== undefined && size <= MAX_BITSWAP_BLOCK;
  }

  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    const block = await this.#blocks.get(cid, { sharedOnly: true });
    if (block === undefined) throw new NotFoundError(`no shared block ${cid}`);
    yield block;
  }
}
