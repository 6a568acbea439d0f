import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import { listenUnix } from '../../base/unix-listener.ts';
import type { Logger } from '../../observe/logger.ts';
import type { LinkHandler } from './link-handler.ts';
import type { TouchedMessage } from './link-messages.ts';
import { createStationSession, type StationSession } from './station-session.ts';
import { createWants, type WaitStatistics, type WantedRange } from './wants.ts';

export type { LinkHandler } from './link-handler.ts';

/** The mount server's end: it outlives stations, and serves one at a time; a new one takes the old one's place. */
export interface LinkServer {
  /**
   * Resolves when the leaves are readable: `complete`: in `cas/`, else in `partial/`. Equal ranges are asked once. What is
   * outstanding is asked again of the next station.
   * @throws Fault the station's; `unavailable/no-station` after `wait` without one; `cancelled` on abort;
   *   `unavailable/too-many-waiting` past 4096; `unavailable/link-closed`
   */
  want(range: WantedRange, signal: AbortSignal): Promise<{ readonly complete: boolean }>;
  /** First uses in order; dropped while no station is there. */
  touched(message: TouchedMessage): void;
  readonly connected: boolean;
  statistics(chain: string): WaitStatistics;
  /** The chain is forgotten: its figures go. */
  forget(chain: string): void;
  /** Ends listening and the connection; whoever waits is answered `unavailable/link-closed`. */
  close(): Promise<void>;
}

export interface LinkServerComponents {
  readonly handler: LinkHandler;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface LinkServerSettings {
  /** `<root>/run/mounts.sock`; a file that lies there is replaced. */
  readonly path: string;
  readonly version: string;
  /** ms: `mount.wait`. */
  readonly wait: number;
  /** Readers that may wait at a time; default 4096. */
  readonly maxWaiting?: number;
}

/** Ranges in one line: four numbers of 16 digits each stay within it. */
const TOUCHED_A_LINE = 8192;
/** Connections that did not say hello yet, or were replaced and have not ended. */
const MAX_CONNECTIONS = 16;

export async function openLinkServer(
  { handler, clock, logger }: LinkServerComponents,
  settings: LinkServerSettings,
): Promise<LinkServer> {
  const { path, version, wait, maxWaiting } = settings;
  const wants = createWants({ clock }, maxWaiting === undefined ? { wait } : { wait, maxWaiting });
  const ending = new AbortController();
  const greeting = { version, pid: process.pid };
  const sessions = new Set<StationSession>();
  let station: StationSession | undefined;

  function serve(socket: Socket): void {
    // whoever says nothing makes room for who might be the next station
    if (sessions.size >= MAX_CONNECTIONS) [...sessions].find((other) => other !== station)?.close();
    const events = {
      onHello(stationVersion: string): void {
        if (station === session) return;
        station?.close();
        station = session;
        logger.info({ version: stationVersion }, 'a station is here');
        wants.station(session);
      },
      // A replaced station may still answer what it was asked: the bytes are on the disk all the same.
      onHave: wants.have,
      onLost(want: number, fault: Fault): void {
        if (station === session) wants.lost(want, fault);
      },
    };
    const session = createStationSession({ handler, events }, socket, greeting, ending.signal);
    sessions.add(session);
    void session.ended.then((reason) => {
      sessions.delete(session);
      if (reason !== undefined) logger.warn({ error: reason }, 'a connection was dropped for what it said');
      if (station !== session) return;
      station = undefined;
      logger.info({}, 'the station is gone: reads of what is not here wait for the next one');
      wants.station(undefined);
    });
  }

  const listener = await listenUnix(path, serve);
  return {
    want: wants.want,
    touched({ touched, ranges }) {
      for (let at = 0; at < ranges.length; at += TOUCHED_A_LINE) {
        station?.send({ touched, ranges: ranges.slice(at, at + TOUCHED_A_LINE) });
      }
    },
    get connected() {
      return station !== undefined;
    },
    statistics: wants.statistics,
    forget: wants.forget,
    async close() {
      wants.close(new Fault('unavailable', 'link-closed', 'the mount server ends'));
      ending.abort();
      for (const session of sessions) session.close();
      await listener.close();
    },
  };
}
