import { fromLatin1, latin1 } from './latin1.ts';
import { createLiteralSpool } from './literal-spool.ts';

/** The next bytes of the tar: the next `length` of the draft's literals, or a range of an object. */
export type DraftPiece =
  | { readonly kind: 'literal'; readonly length: number }
  | { readonly kind: 'content'; readonly hash: Uint8Array; readonly offset: number; readonly length: number };

/** Collects a tar's recipe while the tar goes by; literals are held compressed, a piece costs about 32 bytes. */
export interface RecipeDraft {
  /** Bytes of the tar that are not content; copied. */
  literal(bytes: Uint8Array): void;
  /**
   * The next `length` bytes of the tar are the bytes `offset ..` of the object `hash`.
   * @param hash 32 bytes: sha2-256 of its UnixFS root; copied
   */
  content(hash: Uint8Array, offset: number, length: number): void;
  /** Bytes of the tar so far. */
  readonly tarSize: number;
  /** The tar in order; no piece is empty, adjacent ones that could be one are one. */
  pieces(): Iterable<DraftPiece>;
  /** All literals, one behind the other. */
  literals(): Iterable<Uint8Array>;
}

/** In the column of hashes: a literal. */
const LITERAL = -1;

class SpooledDraft implements RecipeDraft {
  tarSize = 0;
  readonly #spool = createLiteralSpool();
  readonly #numbers = new Map<string, number>();
  readonly #hashes: string[] = [];
  /** Columns of the pieces. */
  readonly #hash: number[] = [];
  readonly #offset: number[] = [];
  readonly #length: number[] = [];

  literal(bytes: Uint8Array): void {
    this.#spool.write(bytes);
    this.#add(LITERAL, 0, bytes.length);
  }

  content(hash: Uint8Array, offset: number, length: number): void {
    const key = latin1(hash);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#hashes.push(key) - 1;
      this.#numbers.set(key, number);
    }
    this.#add(number, offset, length);
  }

  #add(hash: number, offset: number, length: number): void {
    if (length === 0) return;
    this.tarSize += length;
    const last = this.#hash.length - 1;
    const lastLength = this.#length[last] as number;
    const follows = hash === LITERAL || offset === (this.#offset[last] as number) + lastLength;
    if (this.#hash[last] === hash && follows) {
      this.#length[last] = lastLength + length;
      return;
    }
    this.#hash.push(hash);
    this.#offset.push(offset);
    this.#length.push(length);
  }

  *pieces(): Iterable<DraftPiece> {
    for (const [i, number] of this.#hash.entries()) {
      const length = this.#length[i] as number;
      if (number === LITERAL) yield { kind: 'literal', length };
      else {
        const hash = fromLatin1(this.#hashes[number] as string);
        yield { kind: 'content', hash, offset: this.#offset[i] as number, length };
      }
    }
  }

  literals(): Iterable<Uint8Array> {
    return this.#spool.read();
  }
}

/** The draft of an empty tar. */
export function createRecipeDraft(): RecipeDraft {
  return new SpooledDraft();
}
