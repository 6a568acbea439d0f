import type { LazySession } from './lazy-session.ts';

/** Opens the session of an image when something is to be fetched, and ends it when nobody has used it for a while. */
export interface SessionHolder {
  /** Runs `work` with the session; all that run at one time have the same. */
  use<T>(work: (session: LazySession) => Promise<T>): Promise<T>;
  /** The session at hand, where there is one. */
  current(): LazySession | undefined;
  /** Takes a session that is open already as the first one. */
  adopt(session: LazySession): void;
  /** A write of it failed: who comes next gets a new one. */
  drop(session: LazySession): void;
  /** Ends it as soon as nobody uses it; no new one is kept. */
  end(): void;
}

interface Held {
  readonly session: LazySession;
  users: number;
  dropped: boolean;
}

/** @param onEnd told before a session ends: what it counted */
export function createSessionHolder(
  open: () => Promise<LazySession>,
  options: { readonly idleMs: number; readonly onEnd: (session: LazySession) => void },
): SessionHolder {
  let held: Held | undefined;
  let opening: Promise<Held> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  const close = (one: Held): void => {
    if (held === one) held = undefined;
    options.onEnd(one.session);
    one.session.end();
  };
  const hold = (session: LazySession): Held => {
    held = { session, users: 0, dropped: false };
    return held;
  };
  const take = async (): Promise<Held> => {
    if (held !== undefined) return held;
    opening ??= open()
      .then(hold)
      .finally(() => {
        opening = undefined;
      });
    return opening;
  };
  const release = (one: Held): void => {
    one.users--;
    if (one.users > 0) return;
    if (ended || one.dropped) {
      close(one);
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (held === one && one.users === 0) close(one);
    }, options.idleMs);
    timer.unref();
  };

  return {
    async use(work) {
      const one = await take();
      one.users++;
      try {
        return await work(one.session);
      } finally {
        release(one);
      }
    },
    current: () => held?.session,
    adopt(session) {
      hold(session);
    },
    drop(session) {
      if (held?.session !== session) return;
      held.dropped = true;
      const one = held;
      held = undefined;
      if (one.users === 0) close(one);
    },
    end() {
      ended = true;
      clearTimeout(timer);
      if (held !== undefined && held.users === 0) close(held);
    },
  };
}
