import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createDeferredReplies } from '../../src/fuse/deferred-replies.ts';
import { createDeviceChannel } from '../../src/fuse/device-channel.ts';
import type { DeferredReplies } from '../../src/fuse/filesystem.ts';
import type { SessionTerms } from '../../src/fuse/session-terms.ts';
import { OPCODE_LIMIT, type OperationName, operation } from '../../src/fuse/wire/operations.ts';
import { tempFolder } from '../support/temp-folder.ts';
import type { TreeEntry } from './contract-tree.ts';
import type { ServeNews, ServeOrder } from './serve-memory.ts';

/** A tree served by a thread of this process through a real FUSE mount. */
export interface MountedMemory extends AsyncDisposable {
  readonly path: string;
  readonly device: number;
  readonly replies: DeferredReplies;
  /** Requests of this kind so far. */
  count(name: OperationName): number;
  /** The next news that fits, those that came before the call included. Each is given once. */
  next<Kind extends ServeNews['kind']>(kind: Kind): Promise<Extract<ServeNews, { kind: Kind }>>;
  unmount(lazy?: boolean): void;
  /** Another server for the same mount, once the first has ended. */
  serveAgain(terms: SessionTerms): void;
}

export interface MountOptions {
  readonly passthrough?: boolean;
  /** Without `ro`: so that writes reach the server. */
  readonly writable?: boolean;
  readonly stopWhenWaiting?: boolean;
}

/** Whether this process may mount here: root, and a kernel with FUSE. */
export function canMount(): boolean {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

export async function mountMemory(
  tree: readonly TreeEntry[],
  options: MountOptions = {},
): Promise<MountedMemory> {
  const folder = tempFolder('fuse');
  const path = join(folder.path, 'mount');
  mkdirSync(path);
  const device = openSync('/dev/fuse', 'r+');
  const mode = options.writable === true ? 'rw' : 'ro';
  const mountOptions = `fd=3,${mode},nosuid,allow_other,default_permissions,rootmode=40000,user_id=0,group_id=0`;
  const mounted = spawnSync('mount', ['-i', '-t', 'fuse.shp-test', '-o', mountOptions, 'shp-test', path], {
    stdio: ['ignore', 'ignore', 'inherit', device],
  });
  if (mounted.status !== 0) throw new Error('mount failed');
  const counters = new Uint32Array(new SharedArrayBuffer(4 * OPCODE_LIMIT));
  const order: ServeOrder = {
    device,
    tree,
    passthrough: options.passthrough ?? false,
    counters,
    stopWhenWaiting: options.stopWhenWaiting ?? false,
  };
  const mailbox = createMailbox();
  const exits: Promise<void>[] = [];
  const serve = (more: Partial<ServeOrder>) => {
    const workerData: ServeOrder = { ...order, ...more };
    const worker = new Worker(new URL('./serve-memory.ts', import.meta.url), { workerData });
    exits.push(new Promise((resolve) => worker.on('exit', () => resolve())));
    mailbox.listen(worker);
  };
  serve({});
  const unmount = (lazy = false) =>
    void spawnSync('umount', [...(lazy ? ['-l'] : []), path], { stdio: 'ignore' });
  const { dev } = await stat(path);
  const connection = `/sys/fs/fuse/connections/${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  return {
    path,
    device,
    replies: createDeferredReplies(createDeviceChannel(device)),
    count: (name) => counters[operation(name).opcode]!,
    next: mailbox.next,
    unmount,
    serveAgain: (terms) => serve({ terms, stopWhenWaiting: false }),
    async [Symbol.asyncDispose]() {
      unmount(true);
      // what still holds a file open must not hold up the test's end
      try {
        writeFileSync(`${connection}/abort`, '1');
      } catch {
        // nothing held it: the connection is gone already
      }
      await Promise.all(exits);
      closeSync(device);
      folder[Symbol.dispose]();
    },
  };
}

function createMailbox() {
  const held: ServeNews[] = [];
  const waiters: { kind: string; give: (news: never) => void; fail: (error: unknown) => void }[] = [];
  return {
    listen(worker: Worker) {
      worker.on('message', (news: ServeNews) => {
        const index = waiters.findIndex((waiter) => waiter.kind === news.kind);
        if (index < 0) held.push(news);
        else waiters.splice(index, 1)[0]!.give(news as never);
      });
      worker.on('error', (error) => {
        for (const waiter of waiters.splice(0)) waiter.fail(error);
      });
    },
    next<Kind extends ServeNews['kind']>(kind: Kind): Promise<Extract<ServeNews, { kind: Kind }>> {
      const index = held.findIndex((news) => news.kind === kind);
      if (index >= 0) return Promise.resolve(held.splice(index, 1)[0] as never);
      return new Promise((give, fail) => waiters.push({ kind, give, fail }));
    },
  };
}
