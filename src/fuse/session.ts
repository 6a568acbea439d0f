import type { Logger } from '../observe/logger.ts';
import type { FuseChannel } from './channel.ts';
import type { FuseFilesystem } from './filesystem.ts';
import type { SessionTerms } from './session-terms.ts';

export interface FuseSessionComponents {
  readonly channel: FuseChannel;
  readonly filesystem: FuseFilesystem;
  readonly logger: Logger;
  /** Of a connection that an earlier server negotiated: INIT does not come again. */
  readonly terms?: SessionTerms;
  /**
   * Called when a request has come, before it is served: what another thread wants done is done here. So once that
   * thread's own request on the mount (a statfs) is answered, its messages were taken. Keep it a look at a counter.
   */
  readonly poll: () => void;
  /** INIT was answered: keep the terms. Called before the kernel is told. */
  readonly agreed: (terms: SessionTerms) => void;
  /** Requests by opcode, unknown ones in 0; may lie in shared memory. At least 64 long. */
  readonly counters?: Uint32Array;
}

export interface FuseSessionSettings {
  /** Offer the kernel to read backing files itself. */
  readonly passthrough: boolean;
}

/** `ended`: unmounted or aborted. `stopped`: by {@link FuseSession.stop}; the connection lives on. */
export type SessionEnd = 'ended' | 'stopped';

export interface FuseSession {
  /** Serves until the end; blocks the thread. @throws what reading the device fails with else */
  serve(): SessionEnd;
  /** From `poll` or a filesystem method: serve the request at hand, then return and read no other one. */
  stop(): void;
  /** What was agreed on, once it was. */
  readonly terms: SessionTerms | undefined;
}

export function createFuseSession(
  _components: FuseSessionComponents,
  _settings: FuseSessionSettings,
): FuseSession {
  throw new Error('not built');
}
