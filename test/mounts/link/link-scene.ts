import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { connectLink, type LinkClient, type WantHandler } from '../../../src/mounts/link/link-client.ts';
import type { MountServerStatus } from '../../../src/mounts/link/link-messages.ts';
import { type LinkHandler, type LinkServer, openLinkServer } from '../../../src/mounts/link/link-server.ts';
import type { WantedRange } from '../../../src/mounts/link/wants.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { tempFolder } from '../../support/temp-folder.ts';

export const never = new AbortController().signal;

export const emptyStatus: MountServerStatus = {
  pid: 1,
  version: '1',
  memory: 0,
  protocol: '7.41',
  passthrough: true,
  resend: true,
  chains: [],
  mounts: [],
};

/** Answers everything with nothing; tests replace what they look at. */
export function quietHandler(more: Partial<LinkHandler> = {}): LinkHandler {
  return {
    chain: () => {},
    forget: () => {},
    mount: async (mount) => ({ ...mount, mountedAt: 0 }),
    unmount: async () => {},
    status: () => emptyStatus,
    frames: () => ({ operations: {}, kept: false, trace: [] }),
    ...more,
  };
}

export function rangeOf(first: number, more: Partial<WantedRange> = {}): WantedRange {
  return { chain: 'a1', layer: 0, object: 3, first, end: first + 1, path: '/usr/bin/x', ...more };
}

/** A mount server's end on a real socket, with as many stations as a test wants. */
export interface LinkScene extends AsyncDisposable {
  readonly server: LinkServer;
  readonly path: string;
  station(handler?: Partial<WantHandler>): Promise<LinkClient>;
  /** A connection that says whatever the test writes. */
  raw(): Promise<Socket>;
}

export async function linkScene(
  more: Partial<LinkHandler> = {},
  settings: { readonly wait?: number; readonly maxWaiting?: number; readonly clock?: Clock } = {},
): Promise<LinkScene> {
  const folder = tempFolder('link');
  const path = join(folder.path, 'mounts.sock');
  const { clock = systemClock, wait = 60_000, maxWaiting = 4096 } = settings;
  const server = await openLinkServer(
    { handler: quietHandler(more), clock, logger: silentLogger },
    { path, version: 'server-1', wait, maxWaiting },
  );
  const clients: LinkClient[] = [];
  const sockets: Socket[] = [];
  return {
    server,
    path,
    async station(handler = {}) {
      const all: WantHandler = {
        want: () => new Promise(() => {}),
        touched: () => {},
        ...handler,
      };
      const client = await connectLink(
        { handler: all, logger: silentLogger },
        { path, version: 'station-1' },
        never,
      );
      clients.push(client);
      return client;
    },
    async raw() {
      const socket = connect(path);
      socket.on('error', () => {});
      sockets.push(socket);
      await once(socket, 'connect');
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      for (const socket of sockets) socket.destroy();
      await server.close();
      folder[Symbol.dispose]();
    },
  };
}
