import { setTimeout as sleep } from 'node:timers/promises';
import { checkDiskSpace } from '../disk-space.ts';
import { contentInTarOrder } from '../pull-fetch.ts';
import type { TransferComponents, TransferSettings } from '../transfer-components.ts';
import type { LazySession } from './lazy-session.ts';

/** Holds the background of all lazy images together to a rate. */
export interface Pacer {
  /** Plain bytes that are asked for in one go; 0: all at once. */
  readonly step: number;
  /** Waits until `bytes` more may come. */
  pass(bytes: number, signal: AbortSignal): Promise<void>;
}

const LEAST_STEP = 256 * 1024;
const STEPS_A_SECOND = 4;

/** @param rate plain bytes a second; 0: no limit */
export function createPacer(rate: number, monotonic: () => number): Pacer {
  let free = 0;
  return {
    step: rate === 0 ? 0 : Math.max(LEAST_STEP, rate / STEPS_A_SECOND),
    async pass(bytes, signal) {
      if (rate === 0) return;
      const now = monotonic();
      const at = Math.max(free, now);
      free = at + (bytes / rate) * 1000;
      if (at > now) await sleep(at - now, undefined, { signal, ref: false });
    },
  };
}

/**
 * Brings all that is missing of an image: the recipes, then content in the order of the tars. In small steps where the
 * rate is limited, so that what waits for its turn takes no place in the window.
 * @throws Fault of `BlockFetcher.fetch`, `unavailable/disk-full` before anything is asked for where the disk has no room
 */
export async function fetchRest(
  { store }: TransferComponents,
  settings: Pick<TransferSettings, 'root' | 'reserveBytes'>,
  session: LazySession,
  { pacer, signal }: { readonly pacer: Pacer; readonly signal: AbortSignal },
): Promise<void> {
  const { targets, layers } = session;
  await session.prepared();
  signal.throwIfAborted();
  await checkDiskSpace(settings.root, settings.reserveBytes, targets.bytesToWrite());
  targets.requeue();
  await fetchPaced(session, [...targets.wantedRecipes()], pacer, signal);
  await fetchPaced(session, await contentInTarOrder(store, layers, targets), pacer, signal);
  await store.objects.drained(session.lease);
}

async function fetchPaced(
  session: LazySession,
  wanted: readonly number[],
  pacer: Pacer,
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < wanted.length; ) {
    const { end, bytes } = stepFrom(session, wanted, from, pacer.step);
    await pacer.pass(bytes, signal);
    const missing = wanted.slice(from, end).filter((index) => !session.targets.has(index));
    if (missing.length > 0) await session.fetch(missing, { wantClass: 'background', signal });
    from = end;
  }
}

function stepFrom(
  { targets: { plan } }: LazySession,
  wanted: readonly number[],
  from: number,
  step: number,
): { readonly end: number; readonly bytes: number } {
  if (step === 0) return { end: wanted.length, bytes: 0 };
  let bytes = 0;
  let end = from;
  while (end < wanted.length && bytes < step) bytes += plan.sizes[wanted[end++] as number] as number;
  return { end, bytes };
}
