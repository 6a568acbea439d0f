import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../base/fault.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { Swarm } from '../swarm/swarm.ts';
import type { ProgressReporter } from './progress-reporter.ts';

const ASK_AGAIN_MS = 1_000;

/** Connected stations that hold this very image and share it. */
export async function holdersOf(
  swarm: Swarm,
  record: ImageRecord,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const [manifest] = record.manifests;
  if (manifest === undefined) return [];
  return swarm.holders({ digest: record.indexDigest ?? manifest.digest, root: record.root }, signal);
}

/** Waits until so many other stations hold the image. Ends only when they do, or by the signal. */
export async function waitForCopies(
  swarm: Swarm,
  record: ImageRecord,
  copies: number,
  reporter: ProgressReporter,
  signal: AbortSignal,
): Promise<void> {
  if (!record.shared) {
    throw new Fault(
      'invalid',
      'not-shared',
      'nothing is shared here (setting share), so no station can take a copy',
    );
  }
  let said = -1;
  for (;;) {
    const { length } = await holdersOf(swarm, record, signal);
    if (length >= copies) return;
    if (length !== said) reporter.note(`held by ${length} of ${copies} other stations; waiting`);
    said = length;
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}
