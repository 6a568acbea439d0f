import type { CID } from 'multiformats/cid';
import { RAW_CODEC, SHA2_256 } from '../../image/dag/file-dag.ts';
import type { BlockFetcher } from '../block-fetcher.ts';
import { WANT_CLASSES } from '../lanes/messages.ts';
import type { BlockFetcherComponents, FetchSettings } from './fetcher-components.ts';
import { foreignBlock } from './foreign-block.ts';
import { BACKGROUND, DEMAND } from './ranks.ts';
import { Scheduler } from './scheduler.ts';
import { fetchTree } from './tree-fetch.ts';

export type { BitswapSource, BlockFetcherComponents, FetchSettings } from './fetcher-components.ts';

export interface RunningBlockFetcher extends BlockFetcher {
  /** Closes all lanes; fetches under way reject with `cancelled`. */
  stop(): void;
}

/** The one scheduler of this station; lanes are opened when a fetch first needs them. */
export function createBlockFetcher(
  components: BlockFetcherComponents,
  settings: FetchSettings,
): RunningBlockFetcher {
  const scheduler = new Scheduler(components, settings);
  const only = (peers: readonly string[] | undefined) =>
    peers === undefined || peers.length === 0 ? {} : { peers: new Set(peers) };

  return {
    async fetch(request) {
      const { root, plan, wanted, wantClass, onBlock, onProgress, waitMs, signal } = request;
      const rank = WANT_CLASSES.indexOf(wantClass);
      const job = await scheduler.run(
        {
          root,
          codec: RAW_CODEC,
          digests: plan.digests,
          sizes: plan.sizes,
          wanted,
          rank,
          // Those who wait for it give the order; the rest begins anywhere.
          first: rank === BACKGROUND ? components.random() : 0,
          onBlock,
          ...only(request.peers),
          ...(request.here === undefined ? {} : { here: request.here }),
          ...(onProgress === undefined ? {} : { onProgress }),
          ...(waitMs === undefined ? {} : { waitMs }),
        },
        signal,
      );
      return job.report();
    },
    warm() {
      scheduler.stations(undefined);
    },
    tree: (request) => fetchTree(request, { ...components, scheduler, settings }),
    async block(cid: CID, { peers, signal }) {
      const { code, digest } = cid.multihash;
      if (code !== SHA2_256 || (cid.code !== RAW_CODEC && cid.code !== 0x70)) {
        return foreignBlock(cid, components, settings, signal);
      }
      let found: Uint8Array = new Uint8Array(0);
      await scheduler.run(
        {
          codec: cid.code,
          digests: digest,
          wanted: new Uint32Array(1),
          rank: DEMAND,
          first: 0,
          onBlock: (_index, bytes) => {
            found = bytes;
          },
          ...only(peers),
        },
        signal,
      );
      return found;
    },
    stop: () => scheduler.stop(),
  };
}
