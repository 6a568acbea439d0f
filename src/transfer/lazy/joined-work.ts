import { Fault } from '../../base/fault.ts';

/** Work that several may ask for at one time and that is done once. */
export interface JoinedWork<T> {
  /**
   * Does the work, or waits for the same under way. It is aborted when all who wait for it have gone.
   * @throws Fault `cancelled` for whose signal aborts, and what the work throws
   */
  run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

interface Joint<T> {
  readonly promise: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

export function createJoinedWork<T>(): JoinedWork<T> {
  const joints = new Map<string, Joint<T>>();

  const begin = (key: string, work: (signal: AbortSignal) => Promise<T>): Joint<T> => {
    const abort = new AbortController();
    const promise = work(abort.signal).finally(() => {
      if (joints.get(key) === joint) joints.delete(key);
    });
    // all who waited may have gone
    promise.catch(() => {});
    const joint: Joint<T> = { promise, abort, waiting: 0 };
    joints.set(key, joint);
    return joint;
  };

  return {
    async run(key, signal, work) {
      if (signal.aborted) throw cancelled(signal);
      const joint = joints.get(key) ?? begin(key, work);
      joint.waiting++;
      const { promise: gone, reject } = Promise.withResolvers<never>();
      const leave = (): void => reject(cancelled(signal));
      signal.addEventListener('abort', leave, { once: true });
      try {
        return await Promise.race([joint.promise, gone]);
      } finally {
        signal.removeEventListener('abort', leave);
        if (--joint.waiting === 0) {
          if (joints.get(key) === joint) joints.delete(key);
          joint.abort.abort();
        }
      }
    },
  };
}

function cancelled({ reason }: AbortSignal): Fault {
  return new Fault('cancelled', 'cancelled', 'cancelled', { cause: reason });
}
