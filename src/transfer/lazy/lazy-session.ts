import { CID } from 'multiformats/cid';
import type { Clock } from '../../base/clock.ts';
import type { Digest } from '../../base/digest.ts';
import { readLayerRoot } from '../../image/dag/image-roots.ts';
import type { ManifestRecord } from '../../store/image-records.ts';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { createTurnPause } from '../../store/turn-pause.ts';
import type { WantClass } from '../../swarm/block-fetcher.ts';
import type { Swarm } from '../../swarm/swarm.ts';
import { fileLeaves } from '../file-leaves.ts';
import type { PullLayer } from '../pull-parts.ts';
import { createPullTargets, type PullTargets } from '../pull-targets.ts';
import { openStoredLayer } from '../stored-layer.ts';

/** What came of an image, over all its sessions. */
export interface LazyTally {
  wireBytes: number;
  readonly byPeer: Record<string, number>;
}

export interface SessionFetch {
  readonly wantClass: WantClass;
  /** Milliseconds without progress; absent: `fetch.wait`. */
  readonly waitMs?: number;
  readonly signal: AbortSignal;
}

/**
 * A lazy image while something of it is fetched: its plan in memory, a lease under which blocks are kept. What waits for
 * blocks of one image shares one session, so that no block is fetched twice.
 */
export interface LazySession {
  readonly lease: Lease;
  readonly layers: readonly PullLayer[];
  readonly targets: PullTargets;
  /** Everything that is here was looked up. Once; later calls join. */
  prepared(): Promise<void>;
  /** Brings blocks by plan index, each into every place that needs it. @throws Fault of `BlockFetcher.fetch` */
  fetch(wanted: readonly number[], options: SessionFetch): Promise<void>;
  /** Plain bytes of all blocks and of those that are here. */
  count(): { readonly bytes: number; readonly here: number };
  /** Ends what looks through all that is here. */
  cancel(): void;
  end(): void;
}

/** Leaves of one fetch that are written beside each other. */
const MAX_WRITING = 8;
/** The fetcher hashed each block that it hands over. */
const CHECKED = { checked: true };

export function createLazySession(
  { store, swarm, clock }: { readonly store: Store; readonly swarm: Swarm; readonly clock: Clock },
  image: {
    readonly root: CID;
    readonly layers: readonly PullLayer[];
    readonly lease: Lease;
    readonly tally: LazyTally;
  },
): LazySession {
  const { root, layers, lease, tally } = image;
  const targets = createPullTargets(
    store,
    lease,
    layers.map(({ part }) => part),
  );
  const ended = new AbortController();
  const track = lease.shared ? swarm.holdings.track(root, targets.bitmap) : undefined;
  /** Leaves that came and are being written. */
  const landing = new Map<number, Promise<void>>();
  let preparing: Promise<void> | undefined;

  return {
    lease,
    layers,
    targets,
    prepared() {
      preparing ??= targets
        .prepare(ended.signal, createTurnPause(clock.monotonic, ended.signal))
        .then(() => track?.changed());
      return preparing;
    },
    async fetch(wanted, { wantClass, waitMs, signal }) {
      const writing = wanted.map((index) => landing.get(index)).filter((written) => written !== undefined);
      const asked = wanted.filter((index) => !landing.has(index));
      const report = await swarm.fetcher.fetch({
        root,
        plan: targets.plan,
        wanted: Uint32Array.from(asked),
        wantClass,
        here: (index) => targets.has(index) || landing.has(index),
        ...(waitMs === undefined ? {} : { waitMs }),
        async onBlock(index, bytes, peer) {
          tally.byPeer[peer] = (tally.byPeer[peer] ?? 0) + bytes.length;
          // a read that waited may have brought it
          if (targets.has(index) || landing.has(index)) return;
          const written = targets.take(index, bytes, CHECKED);
          if (written === undefined) track?.changed();
          else {
            const noted = written
              .then(() => track?.changed())
              .finally(() => {
                if (landing.get(index) === noted) landing.delete(index);
              });
            landing.set(index, noted);
            // told to who waits for all of them
            noted.catch(() => {});
            writing.push(noted);
            if (writing.length > MAX_WRITING) await writing.shift();
          }
          if (wantClass !== 'demand') await store.objects.drained(lease);
        },
        signal,
      });
      await Promise.all([...writing, ...wanted.map((index) => landing.get(index))]);
      tally.wireBytes += report.wireBytes;
    },
    count() {
      let bytes = 0;
      let here = 0;
      for (let index = 0; index < targets.plan.count; index++) {
        const size = targets.plan.sizes[index] as number;
        bytes += size;
        if (targets.has(index)) here += size;
      }
      return { bytes, here };
    },
    cancel: () => ended.abort(),
    end() {
      ended.abort();
      track?.end();
      lease.end();
    },
  };
}

/** The layers of an image whose indexes and trees are here and were checked before. @throws Fault `not-found` */
export async function openLayers(store: Store, { layers }: ManifestRecord): Promise<PullLayer[]> {
  const opened: PullLayer[] = [];
  for (const { root, diffId } of layers) {
    const cid = CID.parse(root as string);
    const layer = await openStoredLayer(store, cid);
    const get = (block: CID): Uint8Array | undefined => store.blocks.getSync(block);
    const { tar } = readLayerRoot(cid, get);
    const part = { index: layer.index, file: { cid: tar.cid, ...fileLeaves(tar, get) } };
    opened.push({ layer, part, diffId: diffId as Digest });
  }
  return opened;
}
