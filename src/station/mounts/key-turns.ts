/** Work on one key at a time, in the order asked; work on different keys goes on side by side. */
export interface KeyTurns {
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createKeyTurns(): KeyTurns {
  const last = new Map<string, Promise<unknown>>();
  return {
    async run(key, work) {
      const before = last.get(key);
      const mine = Promise.withResolvers<void>();
      last.set(key, mine.promise);
      try {
        await before;
        return await work();
      } finally {
        mine.resolve();
        if (last.get(key) === mine.promise) last.delete(key);
      }
    },
  };
}
