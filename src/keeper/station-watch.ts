import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { identityOf, isRunning, type ProcessIdentity } from '../config/process-identity.ts';
import type { Logger } from '../observe/logger.ts';
import { createBackOff } from './back-off.ts';
import type { SpawnSpec } from './keeper-messages.ts';

/** Starts the station anew when it ended and did not say that it would. */
export interface StationWatch {
  readonly pid: number | undefined;
  readonly restarts: number;
  connected(pid: number, respawn: SpawnSpec | undefined): void;
  goodbye(): void;
  disconnected(pid: number): void;
  /** From now on none is started. */
  release(): void;
}

/** A station that closed its connection is looked at so often until it is gone. */
const POLL_MS = 20;
/** It need not be gone: it may only have left us, then it comes back. */
const END_MS = 5_000;

/** @param log where what the runtime itself writes goes: the station's own log file */
export function createStationWatch(
  components: { readonly logger: Logger },
  settings: { readonly log: string },
): StationWatch {
  const { logger } = components;
  const backOff = createBackOff();
  let current: (ProcessIdentity & { readonly since: number }) | undefined;
  let respawn: SpawnSpec | undefined;
  let timer: NodeJS.Timeout | undefined;
  let restarts = 0;

  function again(): void {
    if (respawn === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(start, backOff.next());
  }

  function start(): void {
    if (respawn === undefined || current !== undefined) return;
    restarts++;
    const log = openSync(settings.log, 'a', 0o600);
    // its descriptor 3 is where it tells that it is ready: nobody listens
    const nobody = openSync('/dev/null', 'w');
    try {
      const child = spawn(respawn.command, respawn.args, {
        cwd: '/',
        env: respawn.env,
        detached: true,
        stdio: ['ignore', log, log, nobody],
      });
      const since = performance.now();
      logger.warn({ pid: child.pid, restarts }, 'the station is started anew');
      child.once('error', () => again());
      child.once('exit', (code, signal) => {
        logger.warn({ pid: child.pid, code, signal }, 'the station has ended');
        // one that said hello is watched by its connection
        if (current?.pid === child.pid) return;
        backOff.ran(performance.now() - since);
        again();
      });
      child.unref();
    } finally {
      closeSync(log);
      closeSync(nobody);
    }
  }

  return {
    get pid() {
      return current?.pid;
    },
    get restarts() {
      return restarts;
    },
    connected(pid, spec) {
      clearTimeout(timer);
      current = { ...(identityOf(pid) ?? { pid, start: '' }), since: performance.now() };
      respawn = spec;
    },
    goodbye() {
      respawn = undefined;
      current = undefined;
      clearTimeout(timer);
    },
    disconnected(pid) {
      const station = current;
      if (station?.pid !== pid) return;
      const until = performance.now() + END_MS;
      const look = (): void => {
        if (current !== station) return;
        if (isRunning(station) && performance.now() < until) {
          timer = setTimeout(look, POLL_MS);
          return;
        }
        current = undefined;
        if (isRunning(station)) return;
        logger.warn({ pid }, 'the station has ended without a word');
        backOff.ran(performance.now() - station.since);
        again();
      };
      look();
    },
    release() {
      respawn = undefined;
      clearTimeout(timer);
    },
  };
}
