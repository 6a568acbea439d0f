import type { WantMessage } from './link-messages.ts';

/** What a reader waits for: a {@link WantMessage} that has no number yet. */
export type WantedRange = Omit<WantMessage, 'want'>;

/** Of one chain, since the mount server started; the percentiles over the last 512 waits. Times in ms. */
export interface WaitStatistics {
  readonly waited: number;
  readonly waiting: number;
  readonly failed: number;
  readonly waitP50: number;
  readonly waitP99: number;
}
