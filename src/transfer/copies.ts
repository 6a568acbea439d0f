import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../base/fault.ts';
import type { ProgressListener } from '../observe/progress.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { Swarm } from '../swarm/swarm.ts';

const ASK_AGAIN_MS = 1_000;

/** Connected stations that hold this very image and share it. */
export async function holdersOf(
  swarm: Pick<Swarm, 'holders'>,
  record: ImageRecord,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const [manifest] = record.manifests;
  if (manifest === undefined) return [];
  return swarm.holders({ digest: record.indexDigest ?? manifest.digest, root: record.root }, signal);
}

/** Of an image that is not shared: no station could ever take a copy. */
export function notShared(): Fault {
  return new Fault(
    'invalid',
    'not-shared',
    'nothing is shared here (setting share), so no station can take a copy',
  );
}

/** A published image that is to be on other machines too. */
export interface CopiesWanted {
  readonly record: ImageRecord;
  /** What others pull it by; said before the wait, since the image is published whatever becomes of the wait. */
  readonly address: string;
  /** Other stations that are to hold it. */
  readonly copies: number;
}

/**
 * Waits until so many other stations hold the image. Ends only when they do, or by the signal.
 * @throws Fault `invalid/not-shared`
 */
export async function waitForCopies(
  swarm: Pick<Swarm, 'holders'>,
  { record, address, copies }: CopiesWanted,
  onProgress: ProgressListener,
  signal: AbortSignal,
): Promise<void> {
  if (!record.shared) throw notShared();
  for (let said = -1; ; ) {
    const { length } = await holdersOf(swarm, record, signal);
    if (length >= copies) return;
    if (length !== said) {
      const text = `${address} is published; ${length} of ${copies} other stations hold it, waiting for more`;
      onProgress({ event: 'note', text });
    }
    said = length;
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}
