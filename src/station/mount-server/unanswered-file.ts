import { fstatSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import type { DeferredReplies, RequestId } from '../../fuse/filesystem.ts';
import type { MissingContent } from '../../layerfs/missing-content.ts';

/**
 * Requests that wait for content, in a file: before Linux 6.9 the kernel does not send them again, so the next mount
 * server answers them from there. The kernel keeps their numbers as long as the connection lives. A line a request,
 * written by the FUSE thread before anybody is asked, and one an answer, by the main thread.
 */
export interface UnansweredFile {
  add(missing: MissingContent): void;
  /** Replies that take what they answer out of the file. */
  watch(replies: DeferredReplies): DeferredReplies;
}

/** Int32: 1 while a thread writes; how many requests wait. */
const LOCK = 0;
const WAITING = 1;
export const UNANSWERED_BYTES = 8;

/** Emptied when nothing waits and it has grown to this. */
const ROOMY_BYTES = 256 * 1024;

/**
 * @param path `<root>/run/unanswered`
 * @param memory {@link UNANSWERED_BYTES}, of both threads
 */
export function openUnansweredFile(path: string, memory: SharedArrayBuffer): UnansweredFile {
  const shared = new Int32Array(memory);
  const file = openSync(path, 'a', 0o600);

  /** The other thread holds it for a write(2): shorter than to sleep. */
  function alone(work: () => void): void {
    while (Atomics.compareExchange(shared, LOCK, 0, 1) !== 0);
    try {
      work();
    } finally {
      Atomics.store(shared, LOCK, 0);
    }
  }

  function answered(request: RequestId): void {
    alone(() => {
      const others = Atomics.sub(shared, WAITING, 1) - 1;
      if (others === 0 && fstatSync(file).size > ROOMY_BYTES) ftruncateSync(file, 0);
      else writeSync(file, `${JSON.stringify(keyOf(request))}\n`);
    });
  }

  return {
    add(missing) {
      if (missing.answer.kind === 'ahead') return;
      alone(() => {
        Atomics.add(shared, WAITING, 1);
        writeSync(file, lineOf(missing));
      });
    },
    watch: (replies) => ({
      error(request, errno) {
        replies.error(request, errno);
        answered(request);
      },
      bytes(request, bytes) {
        replies.bytes(request, bytes);
        answered(request);
      },
      opened(request, handle) {
        replies.opened(request, handle);
        answered(request);
      },
    }),
  };
}

/** What an earlier mount server left, which is what the file holds from now on; count it in with {@link openUnansweredFile}'s memory. */
export function takeUnanswered(path: string, memory: SharedArrayBuffer): readonly MissingContent[] {
  const left = readUnanswered(path);
  writeFileSync(path, left.map(lineOf).join(''), { mode: 0o600 });
  Atomics.store(new Int32Array(memory), WAITING, left.length);
  return left;
}

/** Shared memory is not for the next process. */
function lineOf({ leaves: _leaves, ...missing }: MissingContent): string {
  return `${JSON.stringify(missing)}\n`;
}

const keyOf = ({ high, low }: RequestId): string => `${high}:${low}`;

function readUnanswered(path: string): MissingContent[] {
  const left = new Map<string, MissingContent>();
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  for (const line of text.split('\n')) {
    let said: string | MissingContent;
    try {
      said = JSON.parse(line) as string | MissingContent;
    } catch {
      // The last line of a process that was killed while it wrote.
      continue;
    }
    if (typeof said === 'string') left.delete(said);
    else left.set(keyOf(said.request), said);
  }
  return [...left.values()];
}
