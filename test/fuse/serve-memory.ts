import { parentPort, workerData } from 'node:worker_threads';
import { createDeviceChannel } from '../../src/fuse/device-channel.ts';
import { createFuseSession } from '../../src/fuse/session.ts';
import type { SessionTerms } from '../../src/fuse/session-terms.ts';
import { silentLogger } from '../../src/observe/logger.ts';
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
const filesystem = createMemoryFilesystem(order.tree, {
  waiting: ({ high, low }, path, offset, size) => {
    say({ kind: 'waiting', high, low, path, offset, size });
    if (order.stopWhenWaiting === true) session.stop();
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
