import type { Logger } from '../../observe/logger.ts';
import type {
  ChainSpec,
  MountedView,
  MountServerStatus,
  OverlayMountSpec,
  TouchedMessage,
  WantMessage,
} from './link-messages.ts';

/** What the mount server wants of the station. */
export interface WantHandler {
  /** Resolves when the leaves are readable; a thrown Fault becomes EIO. @param signal aborted when nobody waits any more */
  want(want: WantMessage, signal: AbortSignal): Promise<{ readonly complete: boolean }>;
  touched(message: TouchedMessage): void;
}

/** The station's end. Every call throws `unavailable/link-closed` once the connection is gone. */
export interface LinkClient {
  /** Of the mount server. */
  readonly version: string;
  readonly pid: number;
  chain(chain: ChainSpec, signal: AbortSignal): Promise<void>;
  forget(key: string, signal: AbortSignal): Promise<void>;
  mount(mount: OverlayMountSpec, signal: AbortSignal): Promise<MountedView>;
  unmount(target: string, lazy: boolean, signal: AbortSignal): Promise<void>;
  status(signal: AbortSignal): Promise<MountServerStatus>;
  /** Resolves when the connection has ended, for whatever reason. To connect again is the caller's. */
  readonly ended: Promise<void>;
  close(): void;
}

/**
 * Connects and says hello.
 * @throws Fault `unavailable/no-mount-server` where nobody listens, `cancelled`
 */
export async function connectLink(
  components: { readonly handler: WantHandler; readonly logger: Logger },
  settings: { readonly path: string; readonly version: string },
  signal: AbortSignal,
): Promise<LinkClient> {
  throw new Error(`${components} ${settings} ${signal}`);
}
