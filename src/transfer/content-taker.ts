import type { DraftObject } from '../image/layer/layer-draft.ts';

/** Takes the content of a layer's files one after the other and answers each one's object. */
export interface ContentTaker {
  /** @param size logical bytes, as the tar header says */
  begin(size: number): void;
  /**
   * Bytes of the file from `offset` on; offsets ascend, what lies between two calls is zeros.
   * @param bytes valid during the call
   */
  data(offset: number, bytes: Uint8Array): void;
  /** All stored bytes were given; what is missing up to the size is zeros. */
  end(): DraftObject;
  /** Gives up the file that was begun, if any. */
  abort(): void;
}
