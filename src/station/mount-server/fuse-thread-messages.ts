import type { SessionEnd } from '../../fuse/session.ts';
import type { SessionTerms } from '../../fuse/session-terms.ts';
import type { LayerfsEvent } from '../../layerfs/chain-messages.ts';

/** What the FUSE thread is started with. */
export interface FuseThreadData {
  /** The number of the open /dev/fuse. */
  readonly device: number;
  /** The store's root. */
  readonly root: string;
  /** The slot file and the file of the session's terms. */
  readonly opens: string;
  readonly session: string;
  /** An earlier mount server served this connection. */
  readonly resumed: boolean;
  /** The kernel is asked to send again what it left unanswered. */
  readonly resend: boolean;
  readonly terms?: SessionTerms;
  readonly wholeAtOpen: number;
  readonly passthrough: boolean;
  /** `<root>/run/unanswered`, and the memory of unanswered-file.ts: used where the kernel does not send again. */
  readonly unanswered: string;
  readonly unansweredMemory: SharedArrayBuffer;
  /** See `FuseDebug`. */
  readonly frames: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  /** Int32: see {@link MESSAGES} and {@link DRAIN}. */
  readonly shared: SharedArrayBuffer;
}

/** Raised by the main thread after each message it posted. */
export const MESSAGES = 0;
/** 1: serve the request at hand, then stop. */
export const DRAIN = 1;
export const SHARED_BYTES = 8;

/** What the FUSE thread tells the main thread. */
export type FuseThreadEvent =
  | LayerfsEvent
  | { readonly tell: 'terms'; readonly terms: SessionTerms }
  | { readonly tell: 'served'; readonly end: SessionEnd }
  | {
      readonly tell: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly fields: object;
      readonly message: string;
    };
