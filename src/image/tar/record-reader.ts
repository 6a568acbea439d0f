import type { LeadingRecords } from './entry-headers.ts';
import { parsePaxRecords } from './pax-records.ts';
import { badHeader } from './tar-defect.ts';
import type { TarHeader } from './tar-header.ts';
import { checkLimit, type TarLimits } from './tar-limits.ts';

const PAX = 0x78;
const PAX_GLOBAL = 0x67;
const GNU_LONG_PATH = 0x4c;
const GNU_LONG_LINK = 0x4b;

/** Whether an entry of this typeflag is no entry but speaks about the next one. */
export function isRecordType(typeflag: number): boolean {
  return (
    typeflag === PAX || typeflag === PAX_GLOBAL || typeflag === GNU_LONG_PATH || typeflag === GNU_LONG_LINK
  );
}

/** Collects the bodies of `x`, `g`, `L` and `K` headers until the entry comes that they are for. */
export class RecordReader {
  readonly #limits: TarLimits;
  #leading: LeadingRecords = {};
  #typeflag = 0;
  #body = Buffer.alloc(0);
  #used = 0;

  constructor(limits: TarLimits) {
    this.#limits = limits;
  }

  /** Answers the bytes of the body that follows. @throws TarDefect `invalid/tar-limit` before memory is taken for it */
  begin(header: TarHeader): number {
    if (header.size < 0) throw badHeader('negative size');
    checkLimit(this.#limits, 'recordBytes', header.size);
    this.#typeflag = header.typeflag;
    this.#body = Buffer.allocUnsafe(header.size);
    this.#used = 0;
    return header.size;
  }

  /** Copies what belongs to the body from `at` on and answers the offset behind it. */
  take(chunk: Uint8Array, at: number): number {
    const next = Math.min(at + this.#body.length - this.#used, chunk.length);
    this.#body.set(at === 0 && next === chunk.length ? chunk : chunk.subarray(at, next), this.#used);
    this.#used += next - at;
    return next;
  }

  get complete(): boolean {
    return this.#used === this.#body.length;
  }

  /** The body is complete. @throws TarDefect `corrupt/tar-pax-record` */
  end(): void {
    const body = this.#body;
    this.#body = Buffer.alloc(0);
    this.#used = 0;
    if (this.#typeflag === PAX) {
      this.#leading = { ...this.#leading, pax: parsePaxRecords(body) };
    } else if (this.#typeflag === PAX_GLOBAL) {
      // Go checks global records, applies them to nothing, and forgets what came before them: it hands them out as an
      // entry of its own, which the engines skip.
      parsePaxRecords(body);
      this.#leading = {};
    } else {
      const nul = body.indexOf(0);
      const text = nul < 0 ? body : body.subarray(0, nul);
      const isPath = this.#typeflag === GNU_LONG_PATH;
      this.#leading = { ...this.#leading, ...(isPath ? { longPath: text } : { longLink: text }) };
    }
  }

  /** Hands the records to the entry that came, and begins anew. */
  release(): LeadingRecords {
    const leading = this.#leading;
    this.#leading = {};
    return leading;
  }
}
