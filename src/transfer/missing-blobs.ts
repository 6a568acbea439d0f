import { CID } from 'multiformats/cid';
import type { ImageRecord, KeptBlob } from '../store/image-records.ts';
import { mergeKeptBlobs } from './kept-blobs.ts';
import { hasExactBlobs } from './oci-archive-export.ts';
import { createProgressReporter } from './progress-reporter.ts';
import { type PullOptions, type PullOutcome, pull } from './pull.ts';
import { fetchKeptBlobs } from './pull-blobs.ts';
import type { TransferComponents, TransferSettings } from './transfer-components.ts';

/**
 * A pull that also brings the compressed blobs of an image that nobody told of: who pulls by an address asks nobody what
 * the image is, and who has the image already has no need to. Without them a containerd store could not be given the
 * image under its ID.
 * @throws Fault as {@link pull}
 */
export async function pullWithBlobs(
  components: TransferComponents,
  settings: TransferSettings,
  options: PullOptions,
): Promise<PullOutcome> {
  const outcome = await pull(components, settings, options);
  const wanted = settings.keepBlobs === 'always' || (options.blobs && settings.keepBlobs !== 'never');
  return wanted
    ? { ...outcome, record: await keepMissingBlobs(components, settings, outcome, options) }
    : outcome;
}

/** @returns the record with the blobs that are here then; unchanged where no station keeps any */
async function keepMissingBlobs(
  components: TransferComponents,
  settings: TransferSettings,
  { record, manifests }: PullOutcome,
  { from, onProgress, signal }: PullOptions,
): Promise<ImageRecord> {
  const { store, swarm, clock } = components;
  const lacking = record.manifests.filter(
    (manifest) => manifests.includes(manifest.digest) && !hasExactBlobs(record, manifest),
  );
  const first = lacking[0];
  if (first === undefined) return record;
  const held = { digest: record.indexDigest ?? first.digest, root: record.root };
  const offered = await swarm.keptBlobs(held, { signal, ...(from === undefined ? {} : { from }) });
  const wanted = new Map(lacking.flatMap(({ layers }) => layers.map(({ digest, size }) => [digest, size])));
  const fitting = offered.filter(({ digest, size }) => wanted.get(digest) === size);
  if (fitting.length === 0) return record;
  const lease = store.lease('pull', { shared: record.shared, subject: record.root });
  try {
    // Blobs that are here already count with the others: a sweep may come before the record names them.
    for (const { cid } of record.keptBlobs) lease.see(CID.parse(cid));
    const blobs: readonly KeptBlob[] = await fetchKeptBlobs(
      {
        components,
        settings,
        lease,
        get: (cid) => store.blocks.getSync(cid),
        peers: from === undefined ? [] : [from],
        reporter: createProgressReporter(clock, onProgress),
        signal,
      },
      fitting,
    );
    const now = store.images.get(record.root) ?? record;
    const whole = { ...now, keptBlobs: mergeKeptBlobs(store, now.keptBlobs, blobs) };
    await store.images.put(whole);
    return whole;
  } finally {
    lease.end();
  }
}
