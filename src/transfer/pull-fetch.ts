import type { CID } from 'multiformats/cid';
import { type Digest, digestHex } from '../base/digest.ts';
import type { GetBlock } from '../image/dag/directory-walk.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import type { LayerRecord, ManifestRecord } from '../store/image-records.ts';
import type { Lease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import type { FetchProgress } from '../swarm/block-fetcher.ts';
import { checkBlob } from './blob-check.ts';
import { checkDiskSpace } from './disk-space.ts';
import { ID_DIGITS } from './image-names.ts';
import type { ProgressReporter } from './progress-reporter.ts';
import { blobPart, type PullLayer, takeLayer } from './pull-parts.ts';
import { createPullProgress, type PullProgress } from './pull-progress.ts';
import { createPullTargets, type PullPart, type PullTargets } from './pull-targets.ts';
import { verifyPulledLayer } from './pull-verify.ts';
import type { PulledLayer, PulledManifest } from './pulled-manifest.ts';
import { objectsInTarOrder } from './stored-layer.ts';
import type { TransferComponents, TransferSettings } from './transfer-components.ts';

export interface PullContext {
  readonly components: TransferComponents;
  readonly settings: TransferSettings;
  readonly lease: Lease;
  readonly get: GetBlock;
  /** Where to ask; empty: every connected station. */
  readonly peers: readonly string[];
  readonly reporter: ProgressReporter;
  readonly signal: AbortSignal;
}

/** A manifest all of whose data is here and was verified. */
export interface FetchedManifest {
  readonly record: ManifestRecord;
  readonly indexes: readonly LayerIndex[];
  /** Content bytes (recipes included), those that were here, and bytes on the wire. */
  readonly bytes: number;
  readonly here: number;
  readonly moved: number;
}

/** A layer of the manifest with what of it has to come; a foreign layer without bytes has none. */
interface ManifestPart {
  readonly source: PulledLayer;
  readonly part?: PullPart;
  readonly layer?: PullLayer;
}

/** Brings all data of one manifest root, verifying each layer while it comes. */
export async function fetchManifest(
  context: PullContext,
  manifest: PulledManifest,
): Promise<FetchedManifest> {
  const { store, swarm } = context.components;
  const parts = await openParts(context, manifest);
  const withData = parts.filter((part): part is ManifestPart & { part: PullPart } => part.part !== undefined);
  const targets = createPullTargets(
    store,
    context.lease,
    withData.map(({ part }) => part),
  );
  await targets.prepare(context.signal);
  const progress = createPullProgress(
    context.reporter,
    withData.map(({ source }) => layerLabel(source)),
    targets,
  );
  await checkDiskSpace(context.settings.root, context.settings.reserveBytes, targets.bytesToWrite());
  const track = context.lease.shared ? swarm.holdings.track(manifest.root, targets.bitmap) : undefined;
  const failure = new AbortController();
  const signal = AbortSignal.any([context.signal, failure.signal]);
  try {
    const run = createRun({ ...context, signal }, manifest.root, targets, progress, () => track?.changed());
    await run.fetch(targets.wantedRecipes());
    const verified = verifyLayers({ ...context, signal }, withData, targets, progress);
    const fetched = fetchContent(run, context, withData, targets).then(() => {
      // The disk is idle while the last layer is verified, and the flush before the pin then finds little to do; what
      // fails here fails there again.
      store.objects.flush(context.lease).catch(() => {});
    });
    // whichever fails first ends the other
    const fail = (reason: unknown): never => {
      targets.fail(reason);
      failure.abort(reason);
      throw reason;
    };
    const [tarSizes] = await Promise.all([verified.catch(fail), fetched.catch(fail)]);
    for (const { source, layer, part } of withData) {
      if (layer === undefined) await checkBlob(store, { ...source, cid: part.file.cid });
    }
    progress.end();
    return {
      record: manifestRecord(manifest, parts, tarSizes),
      indexes: withData.flatMap(({ layer }) => (layer === undefined ? [] : [layer.layer.index])),
      bytes: progress.bytes,
      here: progress.here,
      moved: run.wireBytes(),
    };
  } finally {
    track?.end();
  }
}

async function openParts(context: PullContext, manifest: PulledManifest): Promise<ManifestPart[]> {
  const { store } = context.components;
  const { lease, get, signal } = context;
  const parts: ManifestPart[] = [];
  for (const source of manifest.layers) {
    const { root, diffId } = source;
    if (root === undefined) {
      parts.push({ source });
    } else if (diffId === undefined) {
      parts.push({ source, part: await blobPart({ ...source, root }, blockReader(context)) });
    } else {
      const layer = await takeLayer(store, lease, root, diffId, get);
      parts.push({ source, layer, part: layer.part });
    }
    signal.throwIfAborted();
  }
  return parts;
}

/** The fetcher hashed each block that it hands over. */
const CHECKED = { checked: true };

interface FetchRun {
  fetch(wanted: Uint32Array): Promise<void>;
  /** On the wire so far. */
  wireBytes(): number;
}

function createRun(
  context: PullContext,
  root: CID,
  targets: PullTargets,
  progress: PullProgress,
  changed: () => void,
): FetchRun {
  const { store, swarm } = context.components;
  let before = 0;
  let now = 0;
  return {
    async fetch(wanted) {
      if (wanted.length === 0) return;
      /** Leaves on their way to disk; the queue of writes bounds them. */
      const placing = new Set<Promise<void>>();
      let failure: { readonly reason: unknown } | undefined;
      const place = (index: number, bytes: Uint8Array): void => {
        const taken = targets.take(index, bytes, CHECKED);
        if (taken === undefined) return;
        const placed = taken.then(changed, (reason: unknown) => {
          failure ??= { reason };
        });
        placing.add(placed);
        placed.then(() => placing.delete(placed));
      };
      const report = await swarm.fetcher.fetch({
        root,
        plan: targets.plan,
        wanted,
        wantClass: 'background',
        ...(context.peers.length === 0 ? {} : { peers: context.peers }),
        onBlock(index, bytes) {
          place(index, bytes);
          if (failure !== undefined) throw failure.reason;
          progress.fetched(index, bytes.length);
          changed();
          return store.objects.drained(context.lease);
        },
        onProgress(state: FetchProgress) {
          now = state.wireBytes;
          progress.network(before + now, state.peers);
        },
        signal: context.signal,
      });
      await Promise.all(placing);
      if (failure !== undefined) throw failure.reason;
      before += report.wireBytes;
      now = 0;
    },
    wireBytes: () => before + now,
  };
}

async function fetchContent(
  run: FetchRun,
  { components: { store } }: PullContext,
  parts: readonly ManifestPart[],
  targets: PullTargets,
): Promise<void> {
  const layers = parts.map(({ layer }) => layer);
  await run.fetch(Uint32Array.from(await contentInTarOrder(store, layers, targets)));
}

/**
 * Plan indexes not here in the order in which the tars need them, so that verification keeps pace; then what is no layer.
 * The recipes are here.
 */
export async function contentInTarOrder(
  store: Store,
  layers: readonly (PullLayer | undefined)[],
  targets: PullTargets,
): Promise<number[]> {
  const wanted: number[] = [];
  for (const [number, layer] of layers.entries()) {
    if (layer === undefined) continue;
    const seen = new Uint8Array(layer.layer.index.objectCount);
    const order: number[] = [];
    for await (const object of objectsInTarOrder(store, layer.layer)) {
      if (seen[object] === 0) order.push(object);
      seen[object] = 1;
    }
    // empty files are in no recipe
    for (let object = 0; object < seen.length; object++) if (seen[object] === 0) order.push(object);
    for (const index of targets.wantedObjects(number, order)) wanted.push(index);
  }
  for (const index of targets.wantedFiles()) wanted.push(index);
  return wanted;
}

/** One after the other, bottom first, as their content comes. @returns bytes of each part's tar, 0 where it has none */
async function verifyLayers(
  context: PullContext,
  parts: readonly ManifestPart[],
  targets: PullTargets,
  progress: PullProgress,
): Promise<number[]> {
  const { store } = context.components;
  const sizes: number[] = [];
  for (const [number, { layer }] of parts.entries()) {
    if (layer === undefined) {
      sizes.push(0);
      continue;
    }
    const { tarSize } = await verifyPulledLayer(store, context.lease, layer, {
      limits: context.settings.limits,
      signal: context.signal,
      objectReady: (object) => targets.objectReady(number, object),
      rangeReady: (object, offset, length) => targets.rangeReady(number, object, offset, length),
      onBytes: () => progress.verifying(number),
    });
    sizes.push(tarSize);
    progress.verified(number);
  }
  return sizes;
}

/** @param tarSizes of the parts that have data, in order */
export function manifestRecord(
  manifest: PulledManifest,
  parts: readonly Pick<ManifestPart, 'source' | 'part'>[],
  tarSizes: readonly number[],
): ManifestRecord {
  let next = 0;
  const layers = parts.map(({ source, part }): LayerRecord => {
    const tarSize = part === undefined ? 0 : (tarSizes[next++] as number);
    const { root, diffId, digest, mediaType, size } = source;
    return {
      digest,
      mediaType,
      size,
      ...(diffId === undefined ? {} : { diffId, tarSize }),
      ...(root === undefined ? {} : { root: root.toString() }),
    };
  });
  const { root, digest, mediaType, imageId, platform } = manifest;
  return { root: root.toString(), digest, mediaType, imageId, platform, layers };
}

function layerLabel({ diffId, digest }: { diffId?: Digest; digest: Digest }): string {
  return digestHex(diffId ?? digest).slice(0, ID_DIGITS);
}

/** Brings one file by the CID of its UnixFS root: a kept blob. */
export async function fetchFile(
  context: PullContext,
  file: { readonly root: CID; readonly size: number; readonly digest: Digest; readonly mediaType: string },
): Promise<void> {
  const { store } = context.components;
  if (store.objects.has(file.root)) {
    context.lease.see(file.root);
    return;
  }
  const part = await blobPart(file, blockReader(context));
  const targets = createPullTargets(store, context.lease, [part]);
  await targets.prepare(context.signal);
  const progress = createPullProgress(context.reporter, [`blob ${layerLabel(file)}`], targets);
  await checkDiskSpace(context.settings.root, context.settings.reserveBytes, targets.bytesToWrite());
  const run = createRun(context, file.root, targets, progress, () => {});
  await run.fetch(Uint32Array.from(targets.wantedFiles()));
  progress.end();
}

/** A block that is here, or from a peer: then it is stored. */
export function blockReader({ components: { store, swarm }, lease, peers, signal }: PullContext) {
  return async (cid: CID): Promise<Uint8Array> => {
    // seen before it is looked for: a sweep may come while it is read
    lease.see(cid);
    const here = await store.blocks.get(cid);
    if (here !== undefined) return here;
    const bytes = await swarm.fetcher.block(cid, { signal, ...(peers.length === 0 ? {} : { peers }) });
    store.blocks.put(lease, cid, bytes);
    return bytes;
  };
}
