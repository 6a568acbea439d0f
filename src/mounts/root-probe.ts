import { stat } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';
import { createTurns } from '../syscalls/turns.ts';

/**
 * Asks for the attributes of a folder.
 * @param deadline ms
 * @throws Fault `unavailable/mount-does-not-answer`, `cancelled`
 */
export type RootProbe = (folder: string, deadline: number, signal: AbortSignal) => Promise<void>;

/**
 * A probe on one thread of libuv's pool: whatever does not answer holds that one alone, until its filesystem ends. mount(2)
 * asked the same filesystem on the same pool just before, so a process of its own would save nothing, and take 7 to 28 ms on
 * a busy machine instead of 0.2.
 */
export function createRootProbe(): RootProbe {
  const turn = createTurns(1);
  return async (folder, deadline, signal) => {
    if (signal.aborted) throw cancelled(folder);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(noAnswer(folder, `no answer within ${deadline} ms`)), deadline);
    const onAbort = (): void => reject(cancelled(folder));
    signal.addEventListener('abort', onAbort);
    turn(() => stat(folder)).then(
      () => resolve(),
      (error: Error) => reject(noAnswer(folder, error.message)),
    );
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  };
}

function noAnswer(folder: string, why: string): Fault {
  return new Fault(
    'unavailable',
    'mount-does-not-answer',
    `${folder} was mounted but does not answer: ${why}`,
    {
      fields: { target: folder, why },
    },
  );
}

function cancelled(folder: string): Fault {
  return new Fault('cancelled', 'cancelled', `the mount of ${folder} was cancelled`, {
    fields: { target: folder },
  });
}
