import { CID } from 'multiformats/cid';
import type { ImageRecord, LayerRecord } from '../../store/image-records.ts';
import { endInterrupted } from '../interrupted.ts';
import { mergeKeptBlobs } from '../kept-blobs.ts';
import { createProgressReporter } from '../progress-reporter.ts';
import { publishesOnly } from '../published-root.ts';
import { blockReader } from '../pull-fetch.ts';
import { pinPulled, pulledRecord } from '../pull-record.ts';
import { verifyPulledLayer } from '../pull-verify.ts';
import type { TransferComponents, TransferSettings } from '../transfer-components.ts';
import { type LazyDraft, manifestOf } from './lazy-draft.ts';
import type { LazySession } from './lazy-session.ts';

/**
 * Verifies every layer of an image all of whose blocks are here: its tar, rebuilt, must have the diffID, and the layer
 * root made anew from that tar must be the one that was adopted.
 * @returns bytes of each layer's tar
 * @throws Fault of `verifyLayer`; `corrupt` and `invalid` ones mean that the image is not what it says
 */
export async function verifyImageLayers(
  { store }: TransferComponents,
  { limits }: TransferSettings,
  session: LazySession,
  signal: AbortSignal,
): Promise<number[]> {
  const sizes: number[] = [];
  for (const layer of session.layers) {
    const { tarSize } = await verifyPulledLayer(store, session.lease, layer, {
      limits,
      signal,
      objectReady: async () => undefined,
      rangeReady: async () => undefined,
      onBytes: () => {},
    });
    sizes.push(tarSize);
  }
  return sizes;
}

/** Pins what was verified, as a pull does. */
export async function pinCompleted(
  components: TransferComponents,
  settings: TransferSettings,
  session: LazySession,
  draft: LazyDraft,
  { tarSizes, signal }: { readonly tarSizes: readonly number[]; readonly signal: AbortSignal },
): Promise<ImageRecord> {
  const { store, clock, logger } = components;
  const { record, memo } = draft;
  const reporter = createProgressReporter(clock, (event) => {
    if (event.event === 'note') logger.info({ image: record.root }, event.text);
  });
  const before = store.images.get(record.root);
  const manifest = manifestOf(draft);
  const layers = manifest.layers.map(
    (layer, number): LayerRecord => ({ ...layer, tarSize: tarSizes[number] as number }),
  );
  const manifests = [{ ...manifest, layers }];
  const { lease } = session;
  const get = (cid: CID): Uint8Array | undefined => store.blocks.getSync(cid);
  const reader = blockReader({ components, settings, lease, get, peers: [], reporter, signal });
  const candidate = memo.publishedRoot === undefined ? undefined : CID.parse(memo.publishedRoot);
  const isOwn = candidate !== undefined && (await publishesOnly(candidate, CID.parse(record.root), reader));
  const pinned = pulledRecord(before, {
    root: CID.parse(record.root),
    indexDigest: record.indexDigest,
    manifests,
    names: record.names,
    publishedRoot: isOwn ? candidate : undefined,
    keptBlobs: mergeKeptBlobs(store, before?.keptBlobs ?? [], []),
    state: 'pinned',
    shared: record.shared,
    origin: record.origin,
    contentSize: record.contentSize,
    time: clock.now(),
  });
  const profiles = record.profiles ?? before?.profiles;
  const whole = await pinPulled(
    store,
    profiles === undefined ? pinned : { ...pinned, profiles },
    manifests,
    reporter,
  );
  endInterrupted(store, 'pull', memo.reference);
  return whole;
}
