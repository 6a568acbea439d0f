import { Fault } from '../../base/fault.ts';

/** Collects a tar's recipe while the tar goes by; literals are held compressed. */
export interface RecipeDraft {
  /** Bytes of the tar that are not content; copied. */
  literal(bytes: Uint8Array): void;
  /** The next `length` bytes of the tar are the bytes `offset ..` of the object `hash` (32 bytes, copied). */
  content(hash: Uint8Array, offset: number, length: number): void;
  /** Bytes of the tar so far. */
  readonly tarSize: number;
  /** The pieces in order, adjacent ones merged. */
  pieces(): Iterable<DraftPiece>;
}

export type DraftPiece =
  | { readonly kind: 'literal'; readonly length: number; readonly bytes: Iterable<Uint8Array> }
  | { readonly kind: 'content'; readonly hash: Uint8Array; readonly offset: number; readonly length: number };

export function createRecipeDraft(): RecipeDraft {
  throw new Fault('internal', 'unfinished', 'createRecipeDraft');
}
