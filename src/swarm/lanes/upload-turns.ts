import type { Clock } from '../../base/clock.ts';

/** Who waits for its turn to send a frame. */
export interface Sender {
  /** 0 demand .. 3 background: what it would send next. */
  rank(): number;
}

/** Whose frame goes next when all peers together may send only so much. */
export interface UploadTurns {
  /** Resolves when `sender` may send one frame; `undefined`: at once. */
  next(sender: Sender): Promise<void> | undefined;
  /** What a turn turned out to cost, in wire bytes. */
  sent(sender: Sender, bytes: number): void;
  /** The sender is gone; a turn it waits for is given up. */
  leave(sender: Sender): void;
}

/** Bytes that may go out at once after a pause: a burst no longer than this much time of the limit. */
const BURST_SECONDS = 0.05;

/**
 * A token bucket over all senders: the lowest rank first, within a rank who sent least. A turn is given while the
 * bucket is not in debt, and its frame may bring it there, so a limit smaller than a frame works too.
 * @param limit bytes a second, 0: none
 */
export function createUploadTurns(clock: Clock, limit: number): UploadTurns {
  const waiting = new Map<Sender, () => void>();
  /** Bytes by sender; a newcomer starts level with the least, or it would keep the others out until it caught up. */
  const served = new Map<Sender, number>();
  const burst = limit * BURST_SECONDS;
  let tokens = burst;
  let filledAt = clock.monotonic();
  let timer: NodeJS.Timeout | undefined;

  const fill = (): void => {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * limit);
    filledAt = now;
  };
  const best = (): Sender | undefined => {
    let found: Sender | undefined;
    for (const sender of waiting.keys()) {
      if (found === undefined) found = sender;
      else {
        const order = sender.rank() - found.rank() || (served.get(sender) ?? 0) - (served.get(found) ?? 0);
        if (order < 0) found = sender;
      }
    }
    return found;
  };
  const give = (): void => {
    timer = undefined;
    fill();
    const sender = best();
    if (sender === undefined) return;
    if (tokens < 0) {
      timer = setTimeout(give, Math.max(1, Math.ceil((-tokens / limit) * 1000)));
      return;
    }
    const resolve = waiting.get(sender)!;
    waiting.delete(sender);
    resolve();
  };

  return {
    next(sender) {
      if (limit === 0) return undefined;
      if (!served.has(sender)) served.set(sender, Math.min(...served.values(), Number.MAX_SAFE_INTEGER));
      if (served.get(sender) === Number.MAX_SAFE_INTEGER) served.set(sender, 0);
      const turn = new Promise<void>((resolve) => waiting.set(sender, resolve));
      if (timer === undefined) give();
      return turn;
    },
    sent(sender, bytes) {
      if (limit === 0) return;
      fill();
      tokens -= bytes;
      const before = served.get(sender);
      if (before !== undefined) served.set(sender, before + bytes);
      if (timer === undefined) give();
    },
    leave(sender) {
      served.delete(sender);
      waiting.get(sender)?.();
      waiting.delete(sender);
      if (timer === undefined) give();
    },
  };
}
