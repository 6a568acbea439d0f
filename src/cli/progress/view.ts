import type { Progress } from '../../observe/progress.ts';

/** Shows how an operation goes, on stderr. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Draws the last state and leaves the cursor on a fresh line. Idempotent; nothing is drawn after it. */
  end(): void;
}
