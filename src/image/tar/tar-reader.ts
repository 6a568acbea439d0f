import {
  checkedSize,
  type LeadingRecords,
  type MergedHeaders,
  mergeHeaders,
  type SparseForm,
  sparseSize,
} from './entry-headers.ts';
import { pathText } from './path-text.ts';
import { type PaxRecords, parsePaxRecords, paxText } from './pax-records.ts';
import {
  checkSparseMap,
  EXTENSION_FRAGMENTS,
  EXTENSION_MORE,
  parseSparseRecord,
  readOldFragments,
  SparseMapLines,
} from './sparse-map.ts';
import { badHeader, badSparseMap, TarDefect, toTarFault } from './tar-defect.ts';
import type { SparseFragment, TarEntry, TarSink } from './tar-entry.ts';
import { blockKind, HEADER_FIELDS, readTarHeader, TAR_BLOCK, type TarHeader } from './tar-header.ts';
import { checkLimit, type TarLimits } from './tar-limits.ts';
import { readNumeric } from './tar-number.ts';

/**
 * Takes a tar in chunks of any size and tells its sink what it is made of, with the semantics of Go's archive/tar
 * Reader. Both calls throw Faults that name the entry (`fields.entry`) and the byte of the tar (`fields.offset`):
 * `corrupt/tar-header`, `corrupt/tar-pax-record`, `corrupt/tar-sparse-map`, `corrupt/tar-truncated`,
 * `invalid/tar-entry-type`, `invalid/tar-limit` (`fields.limit`). After a throw, the sink's included, the reader is dead.
 */
export interface TarReader {
  push(chunk: Uint8Array): void;
  /** The stream is over. Go takes a tar without an end marker, and one whose last padding is missing. */
  end(): void;
}

export function createTarReader(sink: TarSink, limits: TarLimits): TarReader {
  return new StreamingTarReader(sink, limits);
}

/** What the next bytes are. `after-zeros`: one block of zeros was seen; a second one ends the entries. */
type State =
  | 'header'
  | 'after-zeros'
  | 'record'
  | 'extension'
  | 'sparse-lines'
  | 'content'
  | 'padding'
  | 'ended';

/** Typeflags whose body describes the next entry. `g` is handed out by Go as an entry of its own that engines skip. */
const RECORD_TYPES = new Set([0x78, 0x67, 0x4c, 0x4b]);
const PAX = 0x78;
const PAX_GLOBAL = 0x67;
const GNU_LONG_PATH = 0x4c;

class StreamingTarReader implements TarReader {
  readonly #sink: TarSink;
  readonly #limits: TarLimits;
  #state: State = 'header';
  #failure: unknown;
  /** Bytes of the tar before the current chunk. */
  #base = 0;
  #literalFrom = 0;
  /** A block that lies in two chunks is put together here. */
  readonly #scratch = Buffer.alloc(TAR_BLOCK);
  #scratchUsed = 0;
  /** The block just completed: the chunk or the scratch, and where it begins. */
  #block: Uint8Array = this.#scratch;
  #blockAt = 0;
  /** Byte of the tar where the header being worked on begins. */
  #headerOffset = 0;
  #entryCount = 0;
  #entryPath: Uint8Array | undefined;

  #leading: LeadingRecords = {};
  #recordType = 0;
  #record: Uint8Array = this.#scratch;
  #recordUsed = 0;

  #merged: MergedHeaders | undefined;
  #fragments: SparseFragment[] = [];
  #lines: SparseMapLines | undefined;
  #realSize = 0;
  /** Bytes of content, or of the map in front of it, that are still to come. */
  #remaining = 0;
  #padding = 0;

  constructor(sink: TarSink, limits: TarLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  push(chunk: Uint8Array): void {
    this.#guarded(() => {
      this.#literalFrom = 0;
      let at = 0;
      while (at < chunk.length) at = this.#step(chunk, at);
      this.#flushLiteral(chunk, at);
      this.#base += chunk.length;
    });
  }

  end(): void {
    this.#guarded(() => {
      const boundary = this.#state === 'header' || this.#state === 'after-zeros';
      if (this.#state === 'ended' || this.#state === 'padding') return;
      if (boundary && this.#scratchUsed === 0) return;
      throw new TarDefect(
        'corrupt',
        'tar-truncated',
        `the tar ends in the middle of ${TRUNCATED[this.#state]}`,
      );
    });
  }

  #guarded(work: () => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      work();
    } catch (thrown) {
      const entry = this.#entryPath === undefined ? undefined : pathText(this.#entryPath);
      this.#failure = thrown instanceof TarDefect ? toTarFault(thrown, this.#headerOffset, entry) : thrown;
      throw this.#failure;
    }
  }

  #step(chunk: Uint8Array, at: number): number {
    switch (this.#state) {
      case 'content':
        return this.#takeContent(chunk, at);
      case 'padding':
        return this.#takePadding(chunk, at);
      case 'record':
        return this.#takeRecord(chunk, at);
      case 'ended':
        return chunk.length;
      default:
        return this.#takeBlock(chunk, at);
    }
  }

  #takeBlock(chunk: Uint8Array, at: number): number {
    const headerNext = this.#state === 'header' || this.#state === 'after-zeros';
    if (headerNext && this.#scratchUsed === 0) this.#headerOffset = this.#base + at;
    let next = at + TAR_BLOCK;
    if (this.#scratchUsed === 0 && next <= chunk.length) {
      this.#block = chunk;
      this.#blockAt = at;
    } else {
      next = Math.min(at + TAR_BLOCK - this.#scratchUsed, chunk.length);
      this.#scratch.set(chunk.subarray(at, next), this.#scratchUsed);
      this.#scratchUsed += next - at;
      if (this.#scratchUsed < TAR_BLOCK) return next;
      this.#scratchUsed = 0;
      this.#block = this.#scratch;
      this.#blockAt = 0;
    }
    if (this.#state === 'extension') this.#readExtension(chunk, next);
    else if (this.#state === 'sparse-lines') this.#readSparseLines(chunk, next);
    else this.#readHeader(chunk, next);
    return next;
  }

  #readHeader(chunk: Uint8Array, next: number): void {
    const kind = blockKind(this.#block, this.#blockAt);
    if (this.#state === 'after-zeros') {
      if (kind !== 'zeros') throw badHeader('one block of zeros, then more');
      this.#state = 'ended';
      return;
    }
    if (kind === 'zeros') {
      this.#state = 'after-zeros';
      return;
    }
    this.#entryPath = undefined;
    if (kind === 'damaged') throw badHeader('wrong checksum');
    const header = readTarHeader(this.#block, this.#blockAt);
    this.#entryPath = header.path;
    if (RECORD_TYPES.has(header.typeflag)) this.#beginRecord(header);
    else this.#beginEntry(header, chunk, next);
  }

  #beginRecord(header: TarHeader): void {
    if (header.size < 0) throw badHeader('negative size');
    checkLimit(this.#limits, 'recordBytes', header.size);
    this.#recordType = header.typeflag;
    this.#record = Buffer.alloc(header.size);
    this.#recordUsed = 0;
    this.#padding = paddingOf(header.size);
    this.#state = 'record';
    if (header.size === 0) this.#endRecord();
  }

  #takeRecord(chunk: Uint8Array, at: number): number {
    const next = Math.min(at + this.#record.length - this.#recordUsed, chunk.length);
    this.#record.set(chunk.subarray(at, next), this.#recordUsed);
    this.#recordUsed += next - at;
    if (this.#recordUsed === this.#record.length) this.#endRecord();
    return next;
  }

  #endRecord(): void {
    const record = this.#record;
    if (this.#recordType === PAX) {
      this.#leading = { ...this.#leading, pax: parsePaxRecords(record) };
    } else if (this.#recordType === PAX_GLOBAL) {
      // Go checks global records, applies them to nothing, and forgets what came before them.
      parsePaxRecords(record);
      this.#leading = {};
    } else {
      const nul = record.indexOf(0);
      const text = nul < 0 ? record : record.subarray(0, nul);
      const isPath = this.#recordType === GNU_LONG_PATH;
      this.#leading = { ...this.#leading, ...(isPath ? { longPath: text } : { longLink: text }) };
    }
    this.#record = this.#scratch;
    this.#beginPadding();
  }

  #beginEntry(header: TarHeader, chunk: Uint8Array, next: number): void {
    checkLimit(this.#limits, 'entries', ++this.#entryCount);
    const { pax, longPath } = this.#leading;
    this.#entryPath = longPath ?? pax?.get('path') ?? header.path;
    // Go refuses the header's own size before records replace it.
    if (header.size < 0 && !isHeaderOnly(header.typeflag)) throw badHeader('negative size');
    const merged = mergeHeaders(header, this.#leading, this.#limits);
    this.#entryPath = merged.entry.path;
    this.#merged = merged;
    this.#remaining = merged.bodySize;
    this.#padding = paddingOf(merged.bodySize);
    const records = pax ?? NO_RECORDS;
    this.#leading = {};
    if (merged.sparse === 'none') this.#giveEntry(merged.entry, chunk, next);
    else this.#beginSparse(merged.sparse, records, chunk, next);
  }

  #beginSparse(form: SparseForm, pax: PaxRecords, chunk: Uint8Array, next: number): void {
    this.#fragments = [];
    if (form === 'old-header') {
      const [sizeAt, sizeBytes] = HEADER_FIELDS.gnuRealSize;
      this.#realSize = readNumeric(this.#block, this.#blockAt + sizeAt, sizeBytes);
      if (Number.isNaN(this.#realSize)) throw badSparseMap('the real size is not a number');
      checkedSize(this.#realSize, this.#limits);
      const mapAt = this.#blockAt + HEADER_FIELDS.gnuSparse[0];
      readOldFragments(this.#block, mapAt, 4, this.#fragments, this.#limits);
      this.#afterOldMap(HEADER_FIELDS.gnuSparseExtended[0], chunk, next);
      return;
    }
    this.#realSize = sparseSize(pax, this.#remaining, this.#limits);
    if (form === 'record') {
      const count = paxText(pax, 'GNU.sparse.numblocks');
      this.#fragments = parseSparseRecord(count, paxText(pax, 'GNU.sparse.map'), this.#limits);
      this.#giveSparseEntry(chunk, next);
      return;
    }
    this.#lines = new SparseMapLines(this.#limits);
    this.#state = 'sparse-lines';
    this.#needMapBlock();
  }

  #readExtension(chunk: Uint8Array, next: number): void {
    readOldFragments(this.#block, this.#blockAt, EXTENSION_FRAGMENTS, this.#fragments, this.#limits);
    this.#afterOldMap(EXTENSION_MORE, chunk, next);
  }

  #afterOldMap(moreAt: number, chunk: Uint8Array, next: number): void {
    if (this.#block[this.#blockAt + moreAt] === 0) this.#giveSparseEntry(chunk, next);
    else this.#state = 'extension';
  }

  #readSparseLines(chunk: Uint8Array, next: number): void {
    this.#remaining -= TAR_BLOCK;
    const fragments = this.#lines?.take(this.#block, this.#blockAt);
    if (fragments === undefined) {
      this.#needMapBlock();
      return;
    }
    this.#lines = undefined;
    this.#fragments = fragments;
    this.#giveSparseEntry(chunk, next);
  }

  /** The map is part of the body, and a block of it that the body does not hold is not there. */
  #needMapBlock(): void {
    if (this.#remaining < TAR_BLOCK) throw badSparseMap('it is longer than what is stored');
  }

  #giveSparseEntry(chunk: Uint8Array, next: number): void {
    const sparse = checkSparseMap(this.#fragments, this.#realSize, this.#remaining);
    this.#fragments = [];
    const entry = this.#merged?.entry as TarEntry;
    this.#giveEntry({ ...entry, size: this.#realSize, storedSize: this.#remaining, sparse }, chunk, next);
  }

  #giveEntry(entry: TarEntry, chunk: Uint8Array, next: number): void {
    this.#merged = undefined;
    this.#flushLiteral(chunk, next);
    this.#sink.entry(entry);
    this.#state = 'content';
    if (this.#remaining === 0) this.#endContent();
  }

  #takeContent(chunk: Uint8Array, at: number): number {
    const next = Math.min(at + this.#remaining, chunk.length);
    this.#remaining -= next - at;
    this.#literalFrom = next;
    this.#sink.content(at === 0 && next === chunk.length ? chunk : chunk.subarray(at, next));
    if (this.#remaining === 0) this.#endContent();
    return next;
  }

  #endContent(): void {
    this.#sink.entryEnd();
    this.#beginPadding();
  }

  #beginPadding(): void {
    this.#state = this.#padding === 0 ? 'header' : 'padding';
  }

  #takePadding(chunk: Uint8Array, at: number): number {
    const next = Math.min(at + this.#padding, chunk.length);
    this.#padding -= next - at;
    this.#beginPadding();
    return next;
  }

  #flushLiteral(chunk: Uint8Array, to: number): void {
    const from = this.#literalFrom;
    this.#literalFrom = to;
    if (to > from) this.#sink.literal(chunk.subarray(from, to));
  }
}

const NO_RECORDS: PaxRecords = new Map();

const TRUNCATED: Record<State, string> = {
  header: 'a header',
  'after-zeros': 'the end marker',
  record: 'the records of an entry',
  extension: 'the map of a sparse file',
  'sparse-lines': 'the map of a sparse file',
  content: 'the content of an entry',
  padding: 'padding',
  ended: 'nothing',
};

/** Types that have no body whatever their size says: links, devices, directories, fifos (Go's isHeaderOnlyType). */
function isHeaderOnly(typeflag: number): boolean {
  return typeflag >= 0x31 && typeflag <= 0x36;
}

function paddingOf(size: number): number {
  const tail = size % TAR_BLOCK;
  return tail === 0 ? 0 : TAR_BLOCK - tail;
}
