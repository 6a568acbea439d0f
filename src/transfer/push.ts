import type { Readable } from 'node:stream';
import { type Digest, digestHex } from '../base/digest.ts';
import { publishedRoot } from '../image/dag/image-roots.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import type { ProgressListener } from '../observe/progress.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { Lease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import { type FileReport, readArchive } from './archive.ts';
import { readArchiveImage } from './archive-images.ts';
import { contentSizeOf } from './content-size.ts';
import { checkDiskSpace } from './disk-space.ts';
import { type StoredImage, storeImageDag } from './image-dag.ts';
import {
  addressName,
  ID_DIGITS,
  namesToPublish,
  type PushArgument,
  publishedEntries,
} from './image-names.ts';
import type { ImportTally } from './import-taker.ts';
import { endInterrupted } from './interrupted.ts';
import { mergeKeptBlobs } from './kept-blobs.ts';
import { UNKNOWN_PLATFORM } from './platform-text.ts';
import { createProgressReporter, type LayerReport, type ProgressReporter } from './progress-reporter.ts';
import type { SourceImage } from './source-image.ts';
import type { TransferComponents, TransferSettings } from './transfer-components.ts';

export interface PushOptions {
  readonly argument: PushArgument;
  /** Every name the engine has for the image; empty: the archive's own. */
  readonly names: readonly string[];
  /** The image or engine ID that the archive must hold. */
  readonly expectedId?: Digest;
  /** Which image of an archive that holds several: a name or a layout's tag. */
  readonly image?: string;
  readonly platform?: string;
  readonly onProgress: ProgressListener;
  readonly signal: AbortSignal;
}

export interface TransferTotals {
  /** Content bytes of the image. */
  readonly bytes: number;
  /** Of them: were here already. */
  readonly here: number;
  /** Written to disk (push) or moved over the wire (pull). */
  readonly moved: number;
  readonly seconds: number;
}

export interface PushOutcome {
  /** `/ipfs/<published root>/<id or name>` */
  readonly address: string;
  readonly record: ImageRecord;
  readonly totals: TransferTotals;
}

/** Bytes between two looks at the free space. */
const SPACE_CHECK_EVERY = 64 * 1024 * 1024;

/**
 * Reads an image archive from a stream, stores it as a DAG, and publishes it. Nothing is pinned unless all of it is
 * stored and every digest was found true.
 */
export async function push(
  components: TransferComponents,
  settings: TransferSettings,
  archive: Readable,
  options: PushOptions,
): Promise<PushOutcome> {
  const { store } = components;
  const shared = settings.share !== 'none';
  const reporter = createProgressReporter(components.clock, options.onProgress);
  await checkDiskSpace(settings.root, settings.reserveBytes, 0);
  const lease = store.lease('push', { shared, subject: options.argument.text });
  try {
    const { source, tally } = await readSource(components, settings, archive, options, lease, reporter);
    for (const missing of source.missing) reporter.note(`not in the source, left out: ${missing}`);
    const image = await storeImageDag(store, lease, source, keepsBlobs(settings));
    reporter.settle();
    const outcome = await publish(components, settings, options, lease, source, image);
    endInterrupted(store, 'push', options.argument.text);
    return {
      ...outcome,
      totals: { bytes: tally.bytes, here: tally.here, moved: tally.written, seconds: reporter.seconds() },
    };
  } finally {
    lease.end();
  }
}

async function readSource(
  components: TransferComponents,
  settings: TransferSettings,
  archive: Readable,
  options: PushOptions,
  lease: Lease,
  reporter: ProgressReporter,
): Promise<{ readonly source: SourceImage; readonly tally: ImportTally }> {
  const done: ImportTally = { bytes: 0, here: 0, written: 0 };
  let unchecked = 0;

  async function* guarded(): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive as AsyncIterable<Uint8Array>) {
      options.signal.throwIfAborted();
      unchecked += chunk.length;
      if (unchecked >= SPACE_CHECK_EVERY) {
        unchecked = 0;
        await checkDiskSpace(settings.root, settings.reserveBytes, 0);
      }
      yield chunk;
    }
  }

  function reportFile(path: string, size: number): FileReport {
    let layer: LayerReport | undefined;
    let last: Readonly<ImportTally> = { bytes: 0, here: 0, written: 0 };
    return {
      bytes(tally) {
        layer ??= reporter.layer(fileLabel(path), size);
        last = tally;
        layer.update('reading', tally.bytes, tally.here);
        reporter.total(done.bytes + tally.bytes, done.here + tally.here, done.written + tally.written);
      },
      end(blob) {
        done.bytes += last.bytes;
        done.here += last.here;
        done.written += last.written;
        if (blob.kind === 'layer') layer?.rename(digestHex(blob.layer.diffId).slice(0, ID_DIGITS));
        layer?.update('done', last.bytes, last.here, last.bytes);
      },
    };
  }

  const files = await readArchive(guarded(), {
    store: components.store,
    lease,
    limits: settings.limits,
    signal: options.signal,
    onFile: reportFile,
  });
  const { expectedId, image: name, platform } = options;
  const source = readArchiveImage(files, { expectedId, name, platform }, settings.limits);
  return { source, tally: done };
}

/** A gzip blob cannot be remade; one from a graphdriver store was never there. */
function keepsBlobs({ keepBlobs }: TransferSettings): boolean {
  return keepBlobs !== 'never';
}

async function publish(
  { store, clock, swarm }: TransferComponents,
  settings: TransferSettings,
  options: PushOptions,
  lease: Lease,
  source: SourceImage,
  image: StoredImage,
): Promise<{ readonly address: string; readonly record: ImageRecord }> {
  const ids = imageIds(image);
  const given = options.names.length > 0 ? options.names : source.names;
  const names = namesToPublish(given, options.argument, swarm.network.kind);
  const published = publishedRoot(publishedEntries(ids, names, image.root));
  for (const { cid, bytes } of published.blocks) store.blocks.put(lease, cid, bytes);
  const root = image.root.cid.toString();
  const before = store.images.get(root);
  const now = clock.now();
  const record: ImageRecord = {
    root,
    ...(image.indexDigest === undefined ? {} : { indexDigest: image.indexDigest }),
    manifests: image.manifests,
    names: [...new Set([...(before?.names ?? []), ...names])],
    publishedRoots: [
      ...(before?.publishedRoots ?? []).filter((cid) => cid !== published.cid.toString()),
      published.cid.toString(),
    ],
    state: 'pinned',
    shared: settings.share !== 'none',
    keptBlobs: mergeKeptBlobs(store, before?.keptBlobs ?? [], image.keptBlobs),
    ...(before?.profiles === undefined ? {} : { profiles: before.profiles }),
    origin: 'push',
    contentSize: contentSizeOf(layerIndexes(source)),
    createdAt: before?.createdAt ?? now,
    usedAt: now,
  };
  await bindLayers(store, source);
  await store.images.put(record);
  return { address: `/ipfs/${published.cid}/${addressName(options.argument, ids, names)}`, record };
}

/** Image IDs first, then the digests by which containerd stores name the image. */
function imageIds(image: StoredImage): Digest[] {
  const ids = image.manifests.filter(({ platform }) => platform !== UNKNOWN_PLATFORM);
  const all = ids.length === 0 ? image.manifests : ids;
  return [
    ...new Set([
      ...all.map(({ imageId }) => imageId),
      ...all.map(({ digest }) => digest),
      ...(image.indexDigest === undefined ? [] : [image.indexDigest]),
    ]),
  ];
}

/** What was computed here from the bytes is valid everywhere. */
async function bindLayers(store: Store, source: SourceImage): Promise<void> {
  for (const { digest, blob } of source.manifests.flatMap(({ layers }) => layers)) {
    if (blob?.kind !== 'layer') continue;
    const { diffId, root, tarSize } = blob.layer;
    await store.bindings.put({ diffId, root: root.cid.toString(), tarSize, source: 'here' });
    if (blob.compression !== 'none') await store.bindings.putBlob(digest, diffId);
  }
}

function* layerIndexes(source: SourceImage): Generator<LayerIndex> {
  for (const { blob } of source.manifests.flatMap(({ layers }) => layers)) {
    if (blob?.kind === 'layer') yield blob.layer.index;
  }
}

/** The name of a layer while its diffID is not known: old archives have `<id>/layer.tar`, layouts `blobs/sha256/<hex>`. */
function fileLabel(path: string): string {
  const hex = path.split('/').find((part) => /^[0-9a-f]{64}/.test(part));
  return hex?.slice(0, ID_DIGITS) ?? path;
}
