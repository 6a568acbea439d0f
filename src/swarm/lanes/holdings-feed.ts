import { CID } from 'multiformats/cid';
import { addedRuns } from './bit-runs.ts';
import { violation } from './fields.ts';
import type { Holding, HoldingsBook } from './holdings-book.ts';
import { DELTA_MS, MAX_DELTA_RUNS, MAX_FOLLOWED_ROOTS } from './lane-limits.ts';
import type { Message } from './messages.ts';

interface Followed {
  readonly root: Uint8Array;
  readonly key: string;
  sent: Holding;
  timer: NodeJS.Timeout | undefined;
  readonly unsubscribe: () => void;
}

/** Tells one peer what is here of the roots it follows: all at first, then what was added, at most every 500 ms. */
export class HoldingsFeed {
  readonly #holdings: HoldingsBook;
  readonly #send: (message: Message) => void;
  readonly #followed = new Map<string, Followed>();

  constructor(holdings: HoldingsBook, send: (message: Message) => void) {
    this.#holdings = holdings;
    this.#send = send;
  }

  /** @throws Fault `invalid/lane-violation` */
  follow(root: Uint8Array): void {
    const key = rootText(root);
    if (this.#followed.has(key)) return;
    if (this.#followed.size >= MAX_FOLLOWED_ROOTS) throw violation(`more than ${MAX_FOLLOWED_ROOTS} roots`);
    const followed: Followed = {
      root: root.slice(),
      key,
      sent: copy(this.#holdings.holding(key)),
      timer: undefined,
      unsubscribe: this.#holdings.onChange(key, () => this.#changed(followed)),
    };
    this.#followed.set(key, followed);
    this.#send({ type: 'have', root: followed.root, holding: followed.sent });
  }

  unfollow(root: Uint8Array): void {
    const key = rootText(root);
    const followed = this.#followed.get(key);
    if (followed === undefined) return;
    this.#followed.delete(key);
    clearTimeout(followed.timer);
    followed.unsubscribe();
  }

  stop(): void {
    for (const followed of this.#followed.values()) {
      clearTimeout(followed.timer);
      followed.unsubscribe();
    }
    this.#followed.clear();
  }

  #changed(followed: Followed): void {
    if (followed.timer !== undefined) return;
    followed.timer = setTimeout(() => {
      followed.timer = undefined;
      this.#tell(followed);
    }, DELTA_MS);
    followed.timer.unref();
  }

  #tell(followed: Followed): void {
    const { root, key, sent } = followed;
    const now = this.#holdings.holding(key);
    if (typeof now !== 'string' && typeof sent !== 'string' && now.length === sent.length) {
      const runs = addedRuns(sent, now, MAX_DELTA_RUNS);
      if (runs !== undefined) {
        if (runs.length === 0) return;
        sent.set(now);
        this.#send({ type: 'have-delta', root, runs });
        return;
      }
    } else if (now === sent) {
      return;
    }
    followed.sent = copy(now);
    this.#send({ type: 'have', root, holding: followed.sent });
  }
}

function copy(holding: Holding): Holding {
  return typeof holding === 'string' ? holding : holding.slice();
}

function rootText(root: Uint8Array): string {
  try {
    return CID.decode(root).toString();
  } catch {
    throw violation('a root that is no CID');
  }
}
