import { closeSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { createDeviceChannel } from '../../src/fuse/device-channel.ts';
import { createFuseSession } from '../../src/fuse/session.ts';
import type { SessionTerms } from '../../src/fuse/session-terms.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { createSyscalls } from '../../src/syscalls/koffi-syscalls.ts';
import type { TreeEntry } from './contract-tree.ts';
import { createMemoryFilesystem } from './memory-filesystem.ts';

/** What a server thread is told, and what it says. */
export interface ServeOrder {
  readonly device: number;
  readonly tree: readonly TreeEntry[];
  readonly passthrough: boolean;
  /** In shared memory: requests by opcode. */
  readonly counters: Uint32Array;
  readonly terms?: SessionTerms;
  /** Leave at the first waiting read, as a server does that another one replaces. */
  readonly stopWhenWaiting?: boolean;
}
export type ServeNews =
  | { readonly kind: 'terms'; readonly terms: SessionTerms }
  | {
      readonly kind: 'waiting';
      readonly high: number;
      readonly low: number;
      readonly path: string;
      readonly offset: number;
      readonly size: number;
    }
  | { readonly kind: 'interrupted'; readonly high: number; readonly low: number }
  | { readonly kind: 'end'; readonly end: string };

const order = workerData as ServeOrder;
const say = (news: ServeNews) => parentPort!.postMessage(news);
const backingIds = new Map<string, number>();
const filesystem = createMemoryFilesystem(order.tree, {
  waiting: ({ high, low }, path, offset, size) => {
    say({ kind: 'waiting', high, low, path, offset, size });
    if (order.stopWhenWaiting === true) session.stop();
  },
  backingId: (path) => {
    // one id for the life of the node: the kernel refuses another one while a file is open
    const known = backingIds.get(path);
    if (known !== undefined) return known;
    const file = openSync(path, 'r');
    const id = createSyscalls().backingOpen(order.device, file);
    closeSync(file);
    backingIds.set(path, id);
    return id;
  },
  interrupted: ({ high, low }) => say({ kind: 'interrupted', high, low }),
});
const session = createFuseSession(
  {
    channel: createDeviceChannel(order.device),
    filesystem,
    logger: silentLogger,
    poll: () => {},
    agreed: (terms) => say({ kind: 'terms', terms }),
    counters: order.counters,
    ...(order.terms === undefined ? {} : { terms: order.terms }),
  },
  { passthrough: order.passthrough },
);
say({ kind: 'end', end: session.serve() });
