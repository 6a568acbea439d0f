/** One promise that several may wait for, kept only while somebody does. */
export interface Waiters<Key> {
  /** Resolves when `key` is released; rejects when all are failed. */
  wait(key: Key): Promise<void>;
  release(key: Key): void;
  fail(reason: unknown): void;
}

export function createWaiters<Key>(): Waiters<Key> {
  const waiting = new Map<Key, PromiseWithResolvers<void>>();
  let failed: { readonly reason: unknown } | undefined;
  return {
    async wait(key) {
      if (failed !== undefined) throw failed.reason;
      let entry = waiting.get(key);
      if (entry === undefined) {
        entry = Promise.withResolvers<void>();
        // a waiter may have gone when all are failed
        entry.promise.catch(() => {});
        waiting.set(key, entry);
      }
      return entry.promise;
    },
    release(key) {
      waiting.get(key)?.resolve();
      waiting.delete(key);
    },
    fail(reason) {
      failed = { reason };
      for (const entry of waiting.values()) entry.reject(reason);
      waiting.clear();
    },
  };
}
