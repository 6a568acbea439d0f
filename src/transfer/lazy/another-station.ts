import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import type { Swarm } from '../../swarm/swarm.ts';

const LOOK_MS = 500;

/** Resolves when a station is connected that was not when it was called, when the time is over, or on abort. */
export async function anotherStation(
  { swarm, clock }: { readonly swarm: Swarm; readonly clock: Clock },
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const stations = (): string[] =>
    swarm
      .peers()
      .filter(({ station, dropped }) => station && dropped === undefined)
      .map(({ id }) => id);
  let before = new Set(stations());
  for (const end = clock.monotonic() + ms; clock.monotonic() < end && !signal.aborted; ) {
    await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => {});
    const now = stations();
    if (now.some((peer) => !before.has(peer))) return;
    // one that goes and comes back is another one
    before = new Set(now);
  }
}
