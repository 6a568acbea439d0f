import type { Clock } from '../base/clock.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { Swarm } from '../swarm/swarm.ts';
import { holdersOf } from '../transfer/copies.ts';

/** How many connected stations hold each image. */
export interface CopyCounts {
  /** By image root; left out: not shared, or not known in time. */
  of(records: readonly ImageRecord[]): Promise<ReadonlyMap<string, number>>;
}

/** Longer than one image is asked for: a station that stands still hides those that answer from no list. */
const WAIT_MS = 2_500;
/** So `watch dkr-shp ls` does not ask each station for each image every second. */
const FRESH_MS = 5_000;
/** Images asked for at one time. */
const WIDTH = 8;

export function createCopyCounts(swarm: Pick<Swarm, 'holders'>, clock: Clock): CopyCounts {
  const known = new Map<string, { readonly copies: number; readonly at: number }>();
  const isFresh = (root: string): boolean => {
    const found = known.get(root);
    return found !== undefined && clock.monotonic() - found.at < FRESH_MS;
  };

  return {
    async of(records) {
      const asked = records.filter(({ shared }) => shared);
      const wanted = new Set(asked.map(({ root }) => root));
      for (const root of known.keys()) if (!wanted.has(root) || !isFresh(root)) known.delete(root);
      const missing = asked.filter(({ root }) => !known.has(root));
      const signal = AbortSignal.timeout(WAIT_MS);
      const worker = async (): Promise<void> => {
        for (let record = missing.shift(); record !== undefined; record = missing.shift()) {
          const copies = (await holdersOf(swarm, record, signal)).length;
          known.set(record.root, { copies, at: clock.monotonic() });
        }
      };
      // What cannot be told is left out: a list is no place to fail for a peer.
      await Promise.allSettled(Array.from({ length: WIDTH }, worker));
      return new Map([...known].map(([root, { copies }]) => [root, copies]));
    },
  };
}
