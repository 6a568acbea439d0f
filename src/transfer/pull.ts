import type { CID } from 'multiformats/cid';
import { jsonFile } from '../image/dag/image-roots.ts';
import type { ProgressListener } from '../observe/progress.ts';
import type { ImageRecord, KeptBlob } from '../store/image-records.ts';
import type { Resolution } from '../swarm/image-query.ts';
import { checkClaimedDigest } from './claimed-digest.ts';
import { contentSizeOf } from './content-size.ts';
import { endInterrupted } from './interrupted.ts';
import { mergeKeptBlobs } from './kept-blobs.ts';
import { createProgressReporter } from './progress-reporter.ts';
import { publishesOnly } from './published-root.ts';
import { fetchKeptBlobs } from './pull-blobs.ts';
import { blockReader, type FetchedManifest, fetchManifest, type PullContext } from './pull-fetch.ts';
import { pinPulled, pulledRecord } from './pull-record.ts';
import { addressOf, isById, isShortId, recordedNames, resolveReference } from './pull-resolution.ts';
import type { PulledTree } from './pull-tree.ts';
import { openPulledImage } from './pulled-image.ts';
import { documentsOf, type PulledImage } from './pulled-manifest.ts';
import type { TransferTotals } from './push.ts';
import type { TransferComponents, TransferSettings } from './transfer-components.ts';

export interface PullOptions {
  readonly reference: string;
  /** `os/arch[/variant]` or `all`; absent: this machine's. */
  readonly platform?: string;
  /** Ask this peer only, and take its answer. */
  readonly from?: string;
  /** Also bring the compressed blobs that peers kept. */
  readonly blobs: boolean;
  /** Keep it as cached, not pinned: it may go when the disk is needed. */
  readonly cached: boolean;
  readonly onProgress: ProgressListener;
  readonly signal: AbortSignal;
}

export interface PullOutcome {
  /** `/ipfs/<published root>/<id or name>`; the image root's own path where no published root is known. */
  readonly address: string;
  readonly record: ImageRecord;
  /** The digests of the manifests that were asked for. */
  readonly manifests: readonly string[];
  readonly totals: TransferTotals;
}

/** Brings an image from the swarm, verifies every layer, and pins it. */
export async function pull(
  components: TransferComponents,
  settings: TransferSettings,
  options: PullOptions,
): Promise<PullOutcome> {
  const { store, clock } = components;
  const { signal, from } = options;
  const reporter = createProgressReporter(clock, options.onProgress);
  const resolution = await resolveReference(components.swarm, options);
  if (isShortId(options.reference, resolution)) {
    reporter.note(
      `${options.reference} is ${resolution.digest}; a short id can be forged, the full one cannot`,
    );
  }
  const shared = settings.share === 'pulled';
  const lease = store.lease('pull', { shared, subject: options.reference });
  try {
    const platform = options.platform ?? settings.platform;
    const root = resolution.publishedRoot ?? resolution.imageRoot;
    const path = resolution.publishedRoot === undefined ? [] : resolution.path;
    const peers = from === undefined ? resolution.peers : [from];
    const { tree, image } = await openPulledImage(components, settings, lease, {
      root,
      path,
      peers,
      signal,
      platform,
      ...(options.platform === undefined && isById(options.reference, resolution)
        ? { digest: resolution.digest }
        : {}),
    });
    checkClaimedDigest(image, resolution.digest);
    for (const json of documentsOf(image)) {
      for (const block of jsonFile(json).blocks) store.blocks.put(lease, block.cid, block.bytes);
    }
    const context: PullContext = {
      components,
      settings,
      lease,
      get: tree.get,
      // the peers that answered first; a fetch may ask every station
      peers: from === undefined ? [] : [from],
      reporter,
      signal,
    };
    const fetched: FetchedManifest[] = [];
    for (const manifest of image.manifests) fetched.push(await fetchManifest(context, manifest));
    const before = store.images.get(tree.imageRoot.toString());
    const wantsBlobs = settings.keepBlobs === 'always' || (options.blobs && settings.keepBlobs !== 'never');
    const offered = blobsOf(image, [...(before?.keptBlobs ?? []), ...resolution.keptBlobs]);
    const blobs = wantsBlobs ? await fetchKeptBlobs(context, offered) : [];
    const publishedRoot = await pinnedRoot(context, tree, resolution);
    const whole = pulledRecord(before, {
      root: tree.imageRoot,
      indexDigest: image.indexDigest,
      manifests: fetched.map((one) => one.record),
      names: recordedNames(resolution),
      publishedRoot,
      keptBlobs: mergeKeptBlobs(store, before?.keptBlobs ?? [], blobs),
      state: options.cached ? 'cached' : 'pinned',
      shared,
      origin: resolution.peers[0] ?? 'swarm',
      contentSize: contentSizeOf(fetched.flatMap(({ indexes }) => indexes)),
      time: clock.now(),
    });
    const record = await pinPulled(
      store,
      whole,
      fetched.map((one) => one.record),
      reporter,
    );
    endInterrupted(store, 'pull', options.reference);
    return {
      address: addressOf(tree, resolution),
      record,
      manifests: image.manifests.map(({ digest }) => digest),
      totals: sumTotals(fetched, reporter.seconds()),
    };
  } finally {
    lease.end();
  }
}

function blobsOf(image: PulledImage, offered: readonly KeptBlob[]): KeptBlob[] {
  const wanted = new Set(image.manifests.flatMap(({ layers }) => layers.map(({ digest }) => digest)));
  const fitting = offered.filter(({ digest }) => wanted.has(digest));
  return [...new Map(fitting.map((blob) => [blob.digest, blob])).values()];
}

async function pinnedRoot(
  context: PullContext,
  tree: PulledTree,
  { publishedRoot }: Resolution,
): Promise<CID | undefined> {
  const root = publishedRoot ?? tree.path[0];
  if (root === undefined) return undefined;
  return (await publishesOnly(root, tree.imageRoot, blockReader(context))) ? root : undefined;
}

function sumTotals(fetched: readonly FetchedManifest[], seconds: number): TransferTotals {
  const sum = (pick: (one: FetchedManifest) => number): number =>
    fetched.reduce((total, one) => total + pick(one), 0);
  return {
    bytes: sum(({ bytes }) => bytes),
    here: sum(({ here }) => here),
    moved: sum(({ moved }) => moved),
    seconds,
  };
}
