import type { Clock } from '../base/clock.ts';
import type { OperationView } from '../observe/control/views.ts';
import type { ProgressListener } from '../observe/progress.ts';

export type OperationKind = 'push' | 'copies' | 'pull' | 'open' | 'export' | 'verify';

/** What runs now; so many of a kind at one time, the others wait for their turn. */
export interface Operations {
  run<T>(
    kind: OperationKind,
    subject: string,
    signal: AbortSignal,
    onProgress: ProgressListener,
    work: (onProgress: ProgressListener) => Promise<T>,
  ): Promise<T>;
  list(): readonly OperationView[];
}

interface Running {
  readonly kind: OperationKind;
  readonly subject: string;
  readonly startedAt: number;
  bytes: number;
  total?: number | undefined;
}

export function createOperations(clock: Clock, most: Readonly<Record<OperationKind, number>>): Operations {
  const running = new Set<Running>();
  const waiting: Record<OperationKind, (() => void)[]> = {
    push: [],
    copies: [],
    pull: [],
    open: [],
    export: [],
    verify: [],
  };
  const busy: Record<OperationKind, number> = { push: 0, copies: 0, pull: 0, open: 0, export: 0, verify: 0 };

  async function enter(kind: OperationKind, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (busy[kind] < most[kind]) {
      busy[kind]++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const turn = (): void => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    const leave = (): void => {
      waiting[kind].splice(waiting[kind].indexOf(turn), 1);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    waiting[kind].push(turn);
    await promise;
  }

  /** The place goes to the next one that waits. */
  function exit(kind: OperationKind): void {
    const next = waiting[kind].shift();
    if (next === undefined) busy[kind]--;
    else next();
  }

  return {
    async run(kind, subject, signal, onProgress, work) {
      await enter(kind, signal);
      const operation: Running = { kind, subject, startedAt: clock.now(), bytes: 0 };
      running.add(operation);
      try {
        return await work((progress) => {
          if (progress.event === 'total') {
            operation.bytes = progress.bytes;
            operation.total = progress.total;
          }
          onProgress(progress);
        });
      } finally {
        running.delete(operation);
        exit(kind);
      }
    },
    list: () =>
      [...running].map(({ kind, subject, startedAt, bytes, total }) => ({
        kind,
        subject,
        startedAt,
        bytes,
        ...(total === undefined ? {} : { total }),
      })),
  };
}
