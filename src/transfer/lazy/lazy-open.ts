import { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import { jsonFile } from '../../image/dag/image-roots.ts';
import type { ManifestRecord } from '../../store/image-records.ts';
import type { Lease } from '../../store/lease.ts';
import type { Resolution } from '../../swarm/image-query.ts';
import { checkClaimedDigest } from '../claimed-digest.ts';
import { contentSizeOf } from '../content-size.ts';
import { manifestRecord } from '../pull-fetch.ts';
import { type PullLayer, takeLayer, takeLayerIndex } from '../pull-parts.ts';
import { pulledRecord } from '../pull-record.ts';
import { addressOf, isById, isShortId, recordedNames, resolveReference } from '../pull-resolution.ts';
import { type OpenedImage, openPulledImage } from '../pulled-image.ts';
import { documentsOf, type PulledManifest } from '../pulled-manifest.ts';
import type { TransferComponents, TransferSettings } from '../transfer-components.ts';
import type { LazyDraft } from './lazy-draft.ts';
import type { LazyOpenOptions } from './lazy-images.ts';
import type { OfferedProfiles } from './offered-profile.ts';

/** An image whose tree is here; its layers are not taken yet. */
export interface LocatedImage {
  readonly resolution: Resolution;
  readonly opened: OpenedImage;
  readonly manifest: PulledManifest;
  readonly address: string;
}

/**
 * Finds an image and brings its tree: two questions to peers at most.
 * @param offered told of the start-up profiles that the answer names, or how to ask for one, before the tree is asked for
 * @throws Fault `denied/untrusted-image`, `unsupported/not-mountable`, and those of a pull
 */
export async function locateImage(
  components: TransferComponents,
  settings: TransferSettings,
  lease: Lease,
  { options, offered }: { options: LazyOpenOptions; offered: Pick<OfferedProfiles, 'offer' | 'ask'> },
): Promise<LocatedImage> {
  const { signal, from, reference } = options;
  // beside the question who has it: a lane opens in one round trip
  components.swarm.fetcher.warm();
  const resolution = await resolveReference(components.swarm, options);
  if (!resolution.trusted) throw untrusted(reference, resolution);
  if (isShortId(reference, resolution)) {
    const text = `${reference} is ${resolution.digest}; a short id can be forged, the full one cannot`;
    options.onProgress({ event: 'note', text });
  }
  if (resolution.peers.length > 0) offered.offer(resolution.profiles);
  else if (resolution.path.length > 0) offered.ask(resolution.path.join('/'));
  const opened = await openPulledImage(components, settings, lease, {
    root: resolution.publishedRoot ?? resolution.imageRoot,
    path: resolution.publishedRoot === undefined ? [] : resolution.path,
    peers: from === undefined ? resolution.peers : [from],
    signal,
    platform: options.platform ?? settings.platform,
    ...(options.platform === undefined && isById(reference, resolution) ? { digest: resolution.digest } : {}),
  });
  checkClaimedDigest(opened.image, resolution.digest);
  const [manifest] = opened.image.manifests;
  if (manifest === undefined) throw notMountable(reference, 'it has no manifest');
  const unfit = manifest.layers.find(({ root, diffId }) => root === undefined || diffId === undefined);
  if (unfit !== undefined)
    throw notMountable(reference, `its layer ${unfit.digest} is no tar that is to be had`);
  if (manifest.layers.length === 0) throw notMountable(reference, 'it has no layers');
  return { resolution, opened, manifest, address: addressOf(opened.tree, resolution) };
}

/**
 * Stores documents and indexes of an image, checks what the indexes alone can show, and describes it.
 * Their trees are made when the start is over: nothing reads them.
 * @throws Fault of {@link takeLayerIndex}
 */
export async function takeImage(
  { store, clock }: TransferComponents,
  lease: Lease,
  { resolution, opened: { tree, image }, manifest, address }: LocatedImage,
  reference: string,
): Promise<{ readonly draft: LazyDraft; readonly layers: readonly PullLayer[] }> {
  for (const json of documentsOf(image)) {
    for (const block of jsonFile(json).blocks) store.blocks.put(lease, block.cid, block.bytes);
  }
  const layers: PullLayer[] = [];
  for (const { root, diffId } of manifest.layers) {
    if (root === undefined || diffId === undefined) continue;
    layers.push(await takeLayerIndex(store, lease, root, diffId, tree.get));
  }
  const publishedRoot = resolution.publishedRoot ?? tree.path[0];
  const parts = manifest.layers.map((source) => ({ source }));
  const record = pulledRecord(undefined, {
    root: tree.imageRoot,
    indexDigest: image.indexDigest,
    manifests: [manifestRecord(manifest, parts, [])],
    names: recordedNames(resolution),
    publishedRoot,
    keptBlobs: [],
    state: 'pinned',
    shared: lease.shared,
    origin: resolution.peers[0] ?? 'swarm',
    contentSize: contentSizeOf(layers.map(({ layer }) => layer.index)),
    time: clock.now(),
  });
  const memo = {
    reference,
    address,
    ...(publishedRoot === undefined ? {} : { publishedRoot: publishedRoot.toString() }),
    indexes: layers.map(({ layer }) => layer.indexCid.toString()),
    state: 'fetching',
    mounted: false,
  } as const;
  return { draft: { key: manifest.root.toString(), record, memo }, layers };
}

/**
 * Brings the indexes of an image once more that this station had before: a crash or a bad disk took them.
 * @throws Fault as a pull
 */
export async function retakeLayers(
  components: TransferComponents,
  settings: TransferSettings,
  lease: Lease,
  { record, signal }: { readonly record: LazyDraft['record']; readonly signal: AbortSignal },
): Promise<PullLayer[]> {
  const manifest = record.manifests[0] as ManifestRecord;
  const { tree, image } = await openPulledImage(components, settings, lease, {
    root: CID.parse(record.root),
    path: [],
    peers: [],
    signal,
    platform: 'all',
    digest: manifest.digest,
  });
  const found = image.manifests.find(({ root }) => root.toString() === manifest.root);
  const layers: PullLayer[] = [];
  for (const { root, diffId } of found?.layers ?? []) {
    if (root === undefined || diffId === undefined) continue;
    layers.push(await takeLayer(components.store, lease, root, diffId, tree.get));
  }
  return layers;
}

function untrusted(reference: string, { digest, peers }: Resolution): Fault {
  const from = peers[0] ?? '<peer>';
  return new Fault(
    'denied',
    'untrusted-image',
    `${reference} (${digest}) is answered by ${peers.join(', ') || 'nobody'}, whom this station does not trust, and the id does not prove its layers before all of them are here: take it from one with --from ${from}, give the /ipfs/ address, or dkr-shp trust add ${from}`,
    { fields: { reference, digest, peers } },
  );
}

function notMountable(reference: string, why: string): Fault {
  return new Fault('unsupported', 'not-mountable', `${reference} cannot be mounted: ${why}`, {
    fields: { reference },
  });
}
