import type { DeferredReplies, RequestId } from '../fuse/filesystem.ts';
import type { Logger } from '../observe/logger.ts';
import type { LayerfsCommand } from './chain-messages.ts';
import type { MissingContent } from './missing-content.ts';

/** The main thread's half: asks the station for what is missing and answers the kernel when it is here. */
export interface MissingAnswers {
  /** Answers it sooner or later; never throws. */
  take(missing: MissingContent): void;
  /** The reader gets EINTR now; the want is cancelled when nobody else waits for it. */
  interrupt(request: RequestId): void;
  /** Requests that wait now. */
  readonly waiting: number;
  /** Everything that waits gets EIO. */
  close(): void;
}

export interface MissingAnswersComponents {
  readonly replies: DeferredReplies;
  /**
   * Resolves when the leaves are readable: in `cas/` (complete) or in `partial/`. Never rejects without a reason that
   * a log can show; an abort of the signal rejects it.
   */
  readonly want: (missing: MissingContent, signal: AbortSignal) => Promise<{ readonly complete: boolean }>;
  /** To the FUSE thread; need not wake it. */
  readonly command: (command: LayerfsCommand) => void;
  readonly logger: Logger;
  /** A wait of somebody ended after so many milliseconds: for the chain's statistics. */
  readonly waited?: (chain: string, ms: number, failed: boolean) => void;
  readonly now: () => number;
}

export interface MissingAnswersSettings {
  /** The store's root. */
  readonly root: string;
  /** Requests that may wait at once; more get EIO. */
  readonly maxWaiting?: number;
}
