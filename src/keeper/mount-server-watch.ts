import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../base/fault.ts';
import { identityOf, isRunning, type ProcessIdentity } from '../config/process-identity.ts';
import type { Logger } from '../observe/logger.ts';
import { createBackOff } from './back-off.ts';
import { noteDeviceHolder } from './device-holder.ts';
import type { SpawnSpec } from './keeper-messages.ts';

/** Keeps one mount server running: always one, never two on one device. */
export interface MountServerWatch {
  readonly pid: number | undefined;
  readonly restarts: number;
  /** Starts the first one. */
  start(): void;
  /** One that an earlier keeper started: it connects by itself. */
  adopt(server: ProcessIdentity): void;
  /** It said hello: it serves. */
  connected(pid: number): void;
  /** The connection of the one with this pid has ended. */
  disconnected(pid: number): void;
  /** Resolves when one serves. @throws Fault `unavailable/mount-server-does-not-start` */
  serving(): Promise<void>;
  /** Asks it to finish what it has in hand and end; resolves when the next one serves. */
  replace(): Promise<void>;
  /** From now on none is started anew. */
  release(): void;
  /** Ends it now, whatever it does. */
  kill(): void;
}

export interface MountServerWatchSettings {
  /** Its descriptor 3 is the device. `--resume` is added where an earlier one served the same connection. */
  readonly server: SpawnSpec;
  readonly device: number;
  /** `<root>/run/mount-server.json` */
  readonly note: string;
  readonly connectMs?: number;
}

/** The device's number in the mount server. */
const DEVICE_FD = 3;
/** A server says hello as soon as it runs; one that does not hangs. */
const CONNECT_MS = 15_000;
/** A process that closed its connection to us has so long to be gone. */
const END_MS = 2_000;
/** A planned end waits for requests that are answered at once. */
const DRAIN_MS = 5_000;
const POLL_MS = 10;

export function createMountServerWatch(
  components: { readonly logger: Logger },
  settings: MountServerWatchSettings,
): MountServerWatch {
  const { logger } = components;
  const connectMs = settings.connectMs ?? CONNECT_MS;
  const backOff = createBackOff();
  let current: (ProcessIdentity & { readonly child?: ChildProcess; readonly since: number }) | undefined;
  let serving = Promise.withResolvers<void>();
  let isServing = false;
  let released = false;
  let resume = false;
  let restarts = 0;
  let hello: NodeJS.Timeout | undefined;

  function spawnServer(): void {
    if (released || current !== undefined) return;
    const { command, args, env } = settings.server;
    const child = spawn(command, [...args, ...(resume ? ['--resume'] : [])], {
      cwd: '/',
      env,
      // a session of its own: what ends the keeper's group leaves it alone
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', settings.device],
    });
    resume = true;
    child.once('error', (error) => {
      logger.error({ error: String(error) }, 'the mount server could not be started');
      if (child.pid === undefined) again();
    });
    if (child.pid === undefined) return;
    const { pid } = child;
    noteDeviceHolder(settings.note, pid, DEVICE_FD);
    current = { ...(identityOf(pid) ?? { pid, start: '' }), child, since: performance.now() };
    child.once('exit', (code, signal) => ended(pid, code, signal));
    child.unref();
    awaitHello();
    logger.info({ pid, restarts }, 'mount server started');
  }

  function awaitHello(): void {
    clearTimeout(hello);
    hello = setTimeout(() => {
      logger.error({ pid: current?.pid }, 'the mount server does not answer: it is ended');
      kill();
    }, connectMs);
  }

  function ended(pid: number, code?: number | null, signal?: string | null): void {
    if (current?.pid !== pid) return;
    logger.warn({ pid, code, signal }, 'the mount server has ended');
    backOff.ran(performance.now() - current.since);
    current = undefined;
    clearTimeout(hello);
    if (isServing) {
      isServing = false;
      serving = Promise.withResolvers<void>();
    }
    again();
  }

  function again(): void {
    if (released) return;
    restarts++;
    setTimeout(spawnServer, backOff.next());
  }

  /** Of one that is no child of ours nobody tells its end. */
  async function awaitEnd(server: ProcessIdentity, deadline: number): Promise<void> {
    for (const until = performance.now() + deadline; isRunning(server); await sleep(POLL_MS)) {
      if (performance.now() <= until) continue;
      logger.error({ pid: server.pid }, 'the mount server hangs: it is ended');
      killed(server);
    }
    ended(server.pid);
  }

  function kill(): void {
    const server = current;
    if (server === undefined) return;
    killed(server);
    if (server.child === undefined) void awaitEnd(server, END_MS);
  }

  return {
    get pid() {
      return current?.pid;
    },
    get restarts() {
      return restarts;
    },
    start: spawnServer,
    adopt(server) {
      resume = true;
      current = { ...server, since: performance.now() };
      awaitHello();
    },
    connected(pid) {
      if (current?.pid !== pid) return;
      clearTimeout(hello);
      isServing = true;
      serving.resolve();
    },
    disconnected(pid) {
      const server = current;
      if (server?.pid !== pid) return;
      if (server.child === undefined) void awaitEnd(server, END_MS);
      // a child's end is told by itself, unless it only lost its connection
      else awaitHello();
    },
    async serving() {
      let late: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        late = setTimeout(() => reject(doesNotStart()), connectMs);
      });
      try {
        await Promise.race([serving.promise, tooLate]);
      } finally {
        clearTimeout(late);
      }
    },
    async replace() {
      const server = current;
      if (server !== undefined) {
        process.kill(server.pid, 'SIGTERM');
        if (server.child === undefined) await awaitEnd(server, DRAIN_MS);
        else {
          const late = setTimeout(() => killed(server), DRAIN_MS);
          await new Promise<void>((resolve) => server.child?.once('exit', () => resolve()));
          clearTimeout(late);
        }
      }
      await this.serving();
    },
    release() {
      released = true;
      clearTimeout(hello);
    },
    kill,
  };
}

function killed({ pid }: ProcessIdentity): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself just now.
  }
}

function doesNotStart(): Fault {
  return new Fault(
    'unavailable',
    'mount-server-does-not-start',
    'the mount server does not start: see mounts.log',
  );
}
