import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../observe/logger.ts';
import type {
  ChainSpec,
  MountedView,
  MountServerStatus,
  OverlayMountSpec,
  TouchedMessage,
} from './link-messages.ts';
import type { WaitStatistics, WantedRange } from './wants.ts';

/** What the station asks of the mount server. A thrown Fault is the answer. */
export interface LinkHandler {
  chain(chain: ChainSpec): Promise<void> | void;
  forget(key: string): Promise<void> | void;
  /** @param signal aborted when the link is closed, not when the station goes: the mount is made all the same */
  mount(mount: OverlayMountSpec, signal: AbortSignal): Promise<MountedView>;
  unmount(target: string, lazy: boolean, signal: AbortSignal): Promise<void>;
  status(): Promise<MountServerStatus> | MountServerStatus;
}

/** The mount server's end: it outlives stations, and serves one at a time; a new one takes the old one's place. */
export interface LinkServer {
  /**
   * Resolves when the leaves are readable: `complete`: in `cas/`, else in `partial/`. Equal ranges are asked once. What is
   * outstanding is asked again of the next station.
   * @throws Fault the station's; `unavailable/no-station` after `mount.wait` without one; `cancelled` on abort;
   *   `unavailable/too-many-waiting` past 4096
   */
  want(range: WantedRange, signal: AbortSignal): Promise<{ readonly complete: boolean }>;
  /** First uses in order; dropped while no station is there. */
  touched(message: TouchedMessage): void;
  readonly connected: boolean;
  statistics(chain: string): WaitStatistics;
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
}

export async function openLinkServer(
  components: LinkServerComponents,
  settings: LinkServerSettings,
): Promise<LinkServer> {
  throw new Error(`${components} ${settings}`);
}
