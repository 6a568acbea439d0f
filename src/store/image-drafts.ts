import type { ImageRecord } from './image-records.ts';

/** An image that is used before all of it is here, or must stay although its record may go. */
export interface ImageDraft {
  /** CID of the manifest root: the draft's key. */
  readonly key: string;
  /** The record that it becomes; what it names is kept as far as it is here. */
  readonly record: ImageRecord;
  /** What its keeper must know to go on: plain JSON values. */
  readonly memo: unknown;
}

/** Images on their way. As long as a draft stands no sweep takes what it names; every change is durable. */
export interface ImageDrafts {
  all(): Iterable<ImageDraft>;
  get(key: string): ImageDraft | undefined;
  /** Writes or replaces a draft. A sweep that runs meanwhile spares what it names, too. */
  put(draft: ImageDraft): Promise<void>;
  /** Its data goes with the next sweep, unless an image record names it. Answers false when there was none. */
  remove(key: string): Promise<boolean>;
}
