import type { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import type { ImageRecord, ImageState, KeptBlob, ManifestRecord } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import type { ProgressReporter } from './progress-reporter.ts';

/** A record of what was pulled, joined with what was known of the image before. */
export function pulledRecord(
  before: ImageRecord | undefined,
  now: {
    readonly root: CID;
    readonly indexDigest: ImageRecord['indexDigest'];
    readonly manifests: readonly ManifestRecord[];
    readonly names: readonly string[];
    readonly publishedRoot: CID | undefined;
    readonly keptBlobs: readonly KeptBlob[];
    readonly state: ImageState;
    readonly shared: boolean;
    readonly origin: string;
    readonly contentSize: number;
    readonly time: number;
  },
): ImageRecord {
  const manifests = new Map([...(before?.manifests ?? []), ...now.manifests].map((one) => [one.digest, one]));
  const published = [
    ...(before?.publishedRoots ?? []),
    ...(now.publishedRoot ? [now.publishedRoot.toString()] : []),
  ];
  return {
    root: now.root.toString(),
    ...(now.indexDigest === undefined ? {} : { indexDigest: now.indexDigest }),
    manifests: [...manifests.values()],
    names: [...new Set([...(before?.names ?? []), ...now.names])],
    publishedRoots: [...new Set(published)],
    state: before?.state === 'pinned' ? 'pinned' : now.state,
    shared: before?.shared === true || now.shared,
    keptBlobs: now.keptBlobs,
    ...(before?.profiles === undefined ? {} : { profiles: before.profiles }),
    origin: before?.origin ?? now.origin,
    contentSize: Math.max(before?.contentSize ?? 0, now.contentSize),
    createdAt: before?.createdAt ?? now.time,
    usedAt: now.time,
  };
}

/**
 * Pins what was pulled. Where another platform of the image was damaged here meanwhile it is given up, with a note: it
 * must not stand in the way of a good one.
 */
export async function pinPulled(
  store: Store,
  record: ImageRecord,
  pulled: readonly ManifestRecord[],
  reporter: ProgressReporter,
): Promise<ImageRecord> {
  try {
    await store.images.put(record);
    return record;
  } catch (error) {
    const others = record.manifests.filter(({ digest }) => !pulled.some((one) => one.digest === digest));
    if (!(error instanceof Fault) || error.code !== 'incomplete-image' || others.length === 0) throw error;
    const less = { ...record, manifests: pulled };
    await store.images.put(less);
    const platforms = others.map(({ platform }) => platform).join(', ');
    reporter.note(`${platforms} of this image was damaged here and is given up: pull it again`);
    return less;
  }
}
