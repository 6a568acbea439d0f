import { entryPath, mergeHeaders } from './entry-headers.ts';
import { openSparseMap } from './open-sparse-map.ts';
import { pathText } from './path-text.ts';
import { isRecordType, RecordReader } from './record-reader.ts';
import { checkSparseMap, type SparseMap } from './sparse-map.ts';
import { badHeader, TarDefect, toTarFault } from './tar-defect.ts';
import type { TarEntry, TarSink } from './tar-entry.ts';
import { blockKind, readHeaderPath, readTarHeader, TAR_BLOCK, type TarHeader } from './tar-header.ts';
import { checkLimit, type TarLimits } from './tar-limits.ts';

/**
 * Takes a tar in chunks of any size and tells its sink what it is made of, with the semantics of Go's archive/tar
 * Reader. Both calls throw Faults that name the entry (`fields.entry`) and the byte of the tar where it begins
 * (`fields.offset`): `corrupt/tar-header`, `corrupt/tar-pax-record`, `corrupt/tar-sparse-map`, `corrupt/tar-truncated`
 * (offset of the end), `invalid/tar-entry-type`, `invalid/tar-limit` (`fields.limit`). After a throw, the sink's own
 * included, the reader is dead and throws the same again.
 */
export interface TarReader {
  push(chunk: Uint8Array): void;
  /** The stream is over. Go takes a tar without an end marker, and one whose last padding is missing. */
  end(): void;
}

export function createTarReader(sink: TarSink, limits: TarLimits): TarReader {
  return new StreamingTarReader(sink, limits);
}

/** What the next bytes are, and how a tar is described that ends among them. */
const STATES = {
  header: 'a header',
  /** One block of zeros was seen; a second one ends the entries. */
  'after-zeros': 'the end marker',
  record: 'the records of an entry',
  'sparse-map': 'the map of a sparse file',
  content: 'the content of an entry',
  padding: 'padding',
  ended: 'nothing',
} as const;
type State = keyof typeof STATES;

class StreamingTarReader implements TarReader {
  readonly #sink: TarSink;
  readonly #limits: TarLimits;
  readonly #records: RecordReader;
  #state: State = 'header';
  #failure: unknown;

  /** Bytes of the tar before the current chunk. */
  #base = 0;
  /** Where in the chunk the bytes begin that no call to the sink covered yet. */
  #literalFrom = 0;

  /** A block that lies in two chunks is put together here. */
  readonly #scratch = Buffer.alloc(TAR_BLOCK);
  #scratchUsed = 0;
  /** The block just completed: the chunk or the scratch, and where it begins. */
  #block: Uint8Array = this.#scratch;
  #blockAt = 0;

  /** Byte of the tar where the header being worked on begins. */
  #headerOffset = 0;
  #entryPath: Uint8Array | undefined;
  #entryCount = 0;
  /** A sparse file whose map is not complete. */
  #sparseEntry: TarEntry | undefined;
  #sparseMap: SparseMap | undefined;
  /** Bytes of content that are still to come. */
  #remaining = 0;
  #padding = 0;

  constructor(sink: TarSink, limits: TarLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#records = new RecordReader(limits);
  }

  push(chunk: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#literalFrom = 0;
      let at = 0;
      while (at < chunk.length) at = this.#step(chunk, at);
      this.#flushLiteral(chunk, at);
      this.#base += chunk.length;
    } catch (thrown) {
      this.#fail(thrown, this.#headerOffset);
    }
  }

  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state === 'ended' || this.#state === 'padding') return;
    const boundary = this.#state === 'header' || this.#state === 'after-zeros';
    if (boundary && this.#scratchUsed === 0) return;
    const reason = `the tar ends in the middle of ${STATES[this.#state]}`;
    if (boundary) this.#entryPath = undefined;
    this.#fail(new TarDefect('corrupt', 'tar-truncated', reason), this.#base);
  }

  #fail(thrown: unknown, offset: number): never {
    const entry = this.#entryPath === undefined ? undefined : pathText(this.#entryPath);
    this.#failure = thrown instanceof TarDefect ? toTarFault(thrown, offset, entry) : thrown;
    throw this.#failure;
  }

  /** Takes some bytes from `at` on, at least one, and answers the offset behind them. */
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
    if (this.#state !== 'sparse-map' && this.#scratchUsed === 0) this.#headerOffset = this.#base + at;
    const next = Math.min(at + TAR_BLOCK - this.#scratchUsed, chunk.length);
    if (next - at === TAR_BLOCK) {
      this.#block = chunk;
      this.#blockAt = at;
    } else {
      this.#scratch.set(chunk.subarray(at, next), this.#scratchUsed);
      this.#scratchUsed += next - at;
      if (this.#scratchUsed < TAR_BLOCK) return next;
      this.#scratchUsed = 0;
      this.#block = this.#scratch;
      this.#blockAt = 0;
    }
    if (this.#state === 'sparse-map') {
      this.#sparseMap?.take(this.#block, this.#blockAt);
      this.#giveSparseEntry(chunk, next);
    } else {
      this.#readHeader(chunk, next);
    }
    return next;
  }

  #readHeader(chunk: Uint8Array, next: number): void {
    this.#entryPath = undefined;
    const kind = blockKind(this.#block, this.#blockAt);
    if (kind === 'zeros') {
      this.#state = this.#state === 'after-zeros' ? 'ended' : 'after-zeros';
      return;
    }
    if (this.#state === 'after-zeros') throw badHeader('one block of zeros, then more');
    if (kind === 'damaged') throw badHeader('wrong checksum');
    const header = readTarHeader(this.#block, this.#blockAt);
    if (!isRecordType(header.typeflag)) {
      this.#readEntry(header, chunk, next);
      return;
    }
    const size = this.#records.begin(header);
    this.#padding = paddingOf(size);
    this.#state = 'record';
    if (size === 0) this.#endRecord();
  }

  #takeRecord(chunk: Uint8Array, at: number): number {
    const next = this.#records.take(chunk, at);
    if (this.#records.complete) this.#endRecord();
    return next;
  }

  #endRecord(): void {
    this.#records.end();
    this.#beginPadding();
  }

  #readEntry(header: TarHeader, chunk: Uint8Array, next: number): void {
    const leading = this.#records.release();
    const path = readHeaderPath(this.#block, this.#blockAt, header.format);
    this.#entryPath = entryPath(path, leading);
    checkLimit(this.#limits, 'entries', ++this.#entryCount);
    const source = { header, path, block: this.#block, at: this.#blockAt };
    const { entry, bodySize, sparse } = mergeHeaders(source, leading, this.#limits);
    this.#entryPath = entry.path;
    this.#padding = paddingOf(bodySize);
    if (sparse === 'none') {
      this.#giveEntry(entry, chunk, next);
      return;
    }
    this.#sparseEntry = entry;
    this.#sparseMap = openSparseMap(sparse, { ...source, pax: leading.pax, bodySize }, this.#limits);
    this.#state = 'sparse-map';
    this.#giveSparseEntry(chunk, next);
  }

  /** Where the map is complete. */
  #giveSparseEntry(chunk: Uint8Array, next: number): void {
    const map = this.#sparseMap;
    const entry = this.#sparseEntry;
    if (map?.fragments === undefined || entry === undefined) return;
    this.#sparseMap = undefined;
    this.#sparseEntry = undefined;
    const sparse = checkSparseMap(map);
    this.#giveEntry({ ...entry, size: map.size, storedSize: map.storedSize, sparse }, chunk, next);
  }

  #giveEntry(entry: TarEntry, chunk: Uint8Array, next: number): void {
    this.#flushLiteral(chunk, next);
    this.#sink.entry(entry);
    this.#remaining = entry.storedSize;
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

function paddingOf(size: number): number {
  const tail = size % TAR_BLOCK;
  return tail === 0 ? 0 : TAR_BLOCK - tail;
}
