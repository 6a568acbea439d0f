import { VERSION } from '../config/version.ts';
import type { ControlService } from '../doors/control/control-service.ts';
import type { PullResult, PushResult } from '../observe/control/views.ts';
import { notShared, waitForCopies } from '../transfer/copies.ts';
import { exportImage } from '../transfer/export.ts';
import type { LazyImages } from '../transfer/lazy/lazy-images.ts';
import type { Profiles } from '../transfer/lazy/profiles.ts';
import { pullWithBlobs } from '../transfer/missing-blobs.ts';
import { hasExactBlobs } from '../transfer/oci-archive-export.ts';
import { push } from '../transfer/push.ts';
import type { TransferComponents, TransferSettings } from '../transfer/transfer-components.ts';
import { verifyImage } from '../transfer/verify-image.ts';
import { createCopyCounts } from './copy-counts.ts';
import { dagView, layerDump } from './debug-views.ts';
import { findImage } from './image-lookup.ts';
import { removeImage } from './image-removal.ts';
import { imageDetail, imageSummary, manifestSummary } from './image-views.ts';
import { exportManifests } from './manifest-lookup.ts';
import { createMountCalls } from './mount-calls.ts';
import type { MountService } from './mounts/mount-service.ts';
import { createOperations } from './operations.ts';

export interface StationServiceComponents extends TransferComponents {
  readonly lazy: LazyImages & { readonly profiles: Profiles };
  readonly mounts: MountService;
}

export interface StationServiceSettings {
  readonly root: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly pushes: number;
  readonly pulls: number;
  readonly transfer: TransferSettings;
  readonly onStop: () => void;
}

/** Exports and verifications read much and write nothing: a few at a time keep the disk's head still. */
const MAX_EXPORTS = 8;
const MAX_VERIFICATIONS = 2;
/** Pushes that wait for copies: each asks every station once a second. */
const MAX_WAITS = 64;
/** Images that are opened for a mount: a few blocks each, and somebody waits. */
const MAX_OPENS = 32;

/** What the control door asks, done by the store, the swarm and the transfers. */
export function createStationService(
  components: StationServiceComponents,
  settings: StationServiceSettings,
): ControlService {
  const { store, swarm, clock, lazy, mounts } = components;
  const { transfer } = settings;
  const operations = createOperations(clock, {
    push: settings.pushes,
    copies: MAX_WAITS,
    pull: settings.pulls,
    open: MAX_OPENS,
    export: MAX_EXPORTS,
    verify: MAX_VERIFICATIONS,
  });

  const copyCounts = createCopyCounts(swarm, clock);
  const mountCalls = createMountCalls({ store, lazy, mounts, operations }, { platform: transfer.platform });

  return {
    ...mountCalls,
    async status() {
      const peers = swarm.peers();
      return {
        version: VERSION,
        peerId: swarm.peerId,
        root: settings.root,
        pid: process.pid,
        startedAt: settings.startedAt,
        network: { ...swarm.network },
        share: transfer.share,
        addrs: swarm.addrs(),
        peers: peers.length,
        stations: peers.filter(({ station }) => station).length,
        images: [...store.images.all()].length,
        usage: { ...store.usage() },
        memory: process.memoryUsage.rss(),
        operations: operations.list(),
        mounts: await mountCalls.mounts(),
      };
    },
    async stop({ all = false, force = false }) {
      const { left, unmounted } = await mounts.release({ all, force });
      settings.onStop();
      return {
        pid: process.pid,
        left: left.map(({ target }) => target),
        unmounted: unmounted.map(({ target, upper }) => ({
          target,
          ...(upper === undefined ? {} : { kept: upper }),
        })),
      };
    },
    addrs: async () => swarm.addrs(),
    peers: async () => swarm.peers(),
    connect: async (addr, signal) => ({ peer: await swarm.connect(addr, signal) }),
    network: async () => ({ ...swarm.network }),
    trustList: async () => swarm.trust.list(),
    async trustAdd(peer) {
      await swarm.trust.add(peer);
      return swarm.trust.list();
    },
    async trustRemove(peer) {
      await swarm.trust.remove(peer);
      return swarm.trust.list();
    },
    async images() {
      const records = [...store.images.all()].sort((a, b) => b.createdAt - a.createdAt);
      const copies = await copyCounts.of(records);
      return records.map((record) => imageSummary(record, copies.get(record.root)));
    },
    inspect: (image) => imageDetail(store, findImage(store, image)),
    remove: (image) => removeImage({ store, swarm, lazy }, image),
    gc: (request, signal) => store.gc({ ...request, signal }),
    async verify(image, { onProgress, signal }) {
      const record = findImage(store, image);
      const found = await operations.run('verify', image, signal, onProgress, (listener) =>
        verifyImage(components, transfer, record, { onProgress: listener, signal }),
      );
      return { root: record.root, ...found };
    },
    async push(archive, request, { onProgress, signal }): Promise<PushResult> {
      const { argument: text, by, copies = 0, ...options } = request;
      if (copies > 0 && transfer.share === 'none') throw notShared();
      const outcome = await operations.run('push', text, signal, onProgress, (listener) =>
        push(components, transfer, archive, {
          ...options,
          argument: { text, by },
          onProgress: listener,
          signal,
        }),
      );
      const { record, address, totals } = outcome;
      if (copies > 0) {
        // Out of the push's turn: others may go on while this one waits for people.
        await operations.run('copies', text, signal, onProgress, (listener) =>
          waitForCopies(swarm, { record, address, copies }, listener, signal),
        );
      }
      return {
        address,
        publishedRoot: record.publishedRoots.at(-1) as string,
        imageRoot: record.root,
        manifests: record.manifests.map(manifestSummary),
        names: record.names,
        network: swarm.network.kind,
        addrs: swarm.addrs(),
        totals,
      };
    },
    async pull(request, { onProgress, signal }): Promise<PullResult> {
      const outcome = await operations.run('pull', request.reference, signal, onProgress, (listener) =>
        pullWithBlobs(components, transfer, {
          ...request,
          blobs: request.blobs ?? false,
          cached: request.cached ?? false,
          onProgress: listener,
          signal,
        }),
      );
      const { record, address, totals } = outcome;
      const manifests = record.manifests.filter(({ digest }) => outcome.manifests.includes(digest));
      return {
        address,
        imageRoot: record.root,
        manifests: manifests.map(manifestSummary),
        ...(record.indexDigest === undefined ? {} : { indexDigest: record.indexDigest }),
        names: record.names,
        blobsKept: manifests.every((manifest) => hasExactBlobs(record, manifest)),
        totals,
      };
    },
    async export({ image, format, platform, names }, signal) {
      const record = findImage(store, image);
      const manifests = exportManifests(record, platform ?? transfer.platform);
      return exportImage(store, { record, manifests, format, names: names ?? record.names, signal });
    },
    debugDag: (cid, signal) => dagView(store, swarm, cid, signal),
    debugLayer: (cid) => layerDump(store, cid),
  };
}
