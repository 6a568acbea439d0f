import type { TarEntry, TarSink } from '../../../src/image/tar/tar-entry.ts';
import { DEFAULT_TAR_LIMITS, type TarLimits } from '../../../src/image/tar/tar-limits.ts';
import { createTarReader } from '../../../src/image/tar/tar-reader.ts';

export interface RecordedEntry extends TarEntry {
  /** The file as a reader of it sees it: stored bytes at their places, zeros in the holes. */
  readonly file: Buffer;
  /** Path by latin1, so that any bytes compare. */
  readonly name: string;
}

/** Keeps all that a reader says, and fails where the calls come in an order that the contract does not have. */
export class RecordingSink implements TarSink {
  readonly entries: RecordedEntry[] = [];
  /** Literal and content in the order of the calls. */
  readonly stream: Buffer[] = [];
  literalBytes = 0;
  #current: TarEntry | undefined;
  #stored: Buffer[] = [];

  literal(bytes: Uint8Array): void {
    if (this.#current !== undefined) throw new Error('literal between entry and entryEnd');
    if (bytes.length === 0) throw new Error('an empty literal');
    this.literalBytes += bytes.length;
    this.stream.push(Buffer.from(bytes));
  }

  entry(entry: TarEntry): void {
    if (this.#current !== undefined) throw new Error('entry inside an entry');
    this.#current = entry;
    this.#stored = [];
  }

  content(bytes: Uint8Array): void {
    if (this.#current === undefined) throw new Error('content outside of an entry');
    if (bytes.length === 0) throw new Error('empty content');
    this.#stored.push(Buffer.from(bytes));
    this.stream.push(Buffer.from(bytes));
  }

  entryEnd(): void {
    const entry = this.#current;
    if (entry === undefined) throw new Error('entryEnd without an entry');
    this.#current = undefined;
    const stored = Buffer.concat(this.#stored);
    if (stored.length !== entry.storedSize)
      throw new Error(`${stored.length} bytes, not ${entry.storedSize}`);
    const name = Buffer.from(entry.path).toString('latin1');
    this.entries.push({ ...entry, name, file: logicalFile(entry, stored) });
  }
}

/** Files beyond 64 MiB are not built: their size alone is looked at. */
function logicalFile(entry: TarEntry, stored: Buffer): Buffer {
  if (entry.sparse === undefined || entry.size > 64 * 1024 * 1024) return stored;
  const file = Buffer.alloc(entry.size);
  let at = 0;
  for (const { offset, length } of entry.sparse) {
    stored.copy(file, offset, at, at + length);
    at += length;
  }
  return file;
}

export interface ReadOptions {
  readonly limits?: Partial<TarLimits>;
  /** Lengths of the chunks, used again and again; one chunk where absent. */
  readonly chunks?: readonly number[];
}

/** Reads a whole tar and checks that the calls together are its bytes. @throws what the reader throws */
export function readTar(tar: Uint8Array, options: ReadOptions = {}): RecordingSink {
  const sink = new RecordingSink();
  const reader = createTarReader(sink, { ...DEFAULT_TAR_LIMITS, ...options.limits });
  const chunks = options.chunks ?? [Math.max(1, tar.length)];
  for (let at = 0, turn = 0; at < tar.length; turn++) {
    const next = at + (chunks[turn % chunks.length] as number);
    reader.push(tar.subarray(at, next));
    at = next;
  }
  reader.end();
  if (!Buffer.concat(sink.stream).equals(tar))
    throw new Error('literal and content are not the bytes of the tar');
  return sink;
}
