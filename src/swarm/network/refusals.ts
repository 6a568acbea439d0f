import type { Logger } from '../../observe/logger.ts';

/** Dials and handshakes refused lately, in plain words. */
export interface Refusals {
  /** Notes one; the same text again moves to the front and is logged once a minute only. */
  add(text: string, fields: object): void;
  /** Newest first. */
  list(): readonly string[];
}

const MAX_REFUSALS = 32;
const LOG_AGAIN_MS = 60_000;

/** @param now milliseconds, monotonic */
export function createRefusals(logger: Logger, now: () => number): Refusals {
  /** Text -> when it was logged, oldest first. */
  const seen = new Map<string, number>();
  return {
    add(text, fields) {
      const logged = seen.get(text);
      seen.delete(text);
      const due = logged === undefined || now() - logged >= LOG_AGAIN_MS;
      if (due) logger.warn(fields, text);
      seen.set(text, due ? now() : logged);
      if (seen.size > MAX_REFUSALS) seen.delete(seen.keys().next().value as string);
    },
    list: () => [...seen.keys()].reverse(),
  };
}
