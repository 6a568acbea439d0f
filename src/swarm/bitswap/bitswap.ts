import { type BitswapBlockBrokerInit, withBitswap } from '@helia/bitswap';
import type { BlockBroker, HeliaMixin } from '@helia/interface';
import type { HeliaWithLibp2p } from '@helia/libp2p';
import type { Libp2p } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { sha256 as multihashSha256 } from 'multiformats/hashes/sha2';
import { Fault } from '../../base/fault.ts';
import type { BlockStore } from '../../store/block-store.ts';
import type { BitswapSource } from '../scheduler/create-block-fetcher.ts';
import { SharedBlockstore } from './shared-blockstore.ts';

/** Serves shared blocks to any IPFS node, and fetches from foreign ones as the last resort. */
export interface Bitswap extends BitswapSource {
  stop(): Promise<void>;
}

export interface BitswapComponents {
  readonly libp2p: Libp2p;
  readonly blocks: BlockStore;
}

export interface BitswapSettings {
  /** Milliseconds for one block: bitswap itself waits for a silent peer for ever. */
  readonly blockMs: number;
}

const OPTIONS: BitswapBlockBrokerInit = {
  // 32 by default, above which streams are reset without a word: each message of a peer is a stream.
  maxInboundStreams: 256,
  maxOutboundStreams: 256,
  maxWantlistSize: 1024,
  // A block that the peer dropped and asks for again within this time is not sent, and it waits for ever (5 s by default).
  doNotResendBlockWindow: 1_000,
};

/** Helia's bitswap without the rest of Helia: that keeps a second store, pins and routers, which shp has its own of. */
export async function startBitswap(
  components: BitswapComponents,
  settings: BitswapSettings,
): Promise<Bitswap> {
  const { broker, mixin } = await bitswapBroker(components);
  return {
    async get(cid, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(settings.blockMs)]);
      try {
        return await broker.retrieve(cid, { signal: limit });
      } catch (error) {
        if (signal.aborted) throw new Fault('cancelled', 'cancelled', 'cancelled', { cause: error });
        throw noBlock(cid, error);
      }
    },
    async stop() {
      await (broker as BlockBroker & { stop(): Promise<void> }).stop();
      await mixin.stop?.(undefined as never);
    },
  };
}

type Retriever = BlockBroker & Required<Pick<BlockBroker, 'retrieve'>>;

/** `withBitswap` is all that @helia/bitswap exports; what it asks of a Helia node is this much. */
async function bitswapBroker({ libp2p, blocks }: BitswapComponents) {
  let mixin: HeliaMixin<HeliaWithLibp2p> | undefined;
  let broker: BlockBroker | undefined;
  const node = {
    status: 'starting',
    libp2p,
    logger: libp2p.logger,
    blockstore: new SharedBlockstore(blocks),
    // Nobody is looked up: only connected peers are asked.
    routing: { findProviders: async function* () {} },
    getHasher: () => multihashSha256,
    hasBlockBroker: () => broker !== undefined,
    addBlockBroker: (added: BlockBroker) => {
      broker = added;
    },
    addMixin: (added: HeliaMixin<HeliaWithLibp2p>) => {
      mixin = added;
    },
  } as unknown as HeliaWithLibp2p;
  withBitswap(node as never, OPTIONS);
  await mixin?.start?.(node);
  if (mixin === undefined || broker?.retrieve === undefined) {
    throw new Fault('internal', 'no-bitswap', '@helia/bitswap gave no block broker');
  }
  return { broker: broker as Retriever, mixin };
}

function noBlock(cid: CID, cause: unknown): Fault {
  return new Fault('unavailable', 'no-peer-has-block', `no connected IPFS node gave block ${cid}`, {
    cause,
    fields: { block: cid.toString() },
  });
}
