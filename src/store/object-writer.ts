import { Fault } from '../base/fault.ts';
import { CHUNK_SIZE } from '../image/dag/file-dag.ts';
import { createFileHasher, type FileHasher } from '../image/dag/file-hasher.ts';
import type { FileQueue, Settle } from './file-queue.ts';
import type { StoreLease } from './lease-book.ts';
import type { FinishedObject, ObjectInfo, ObjectWriter } from './object-store.ts';

/** Bytes held back until it is known whether they are here already. */
export const HELD_MAX = 1024 * 1024;

/** What a writer needs from the objects around it. */
export interface WriterSurroundings {
  readonly queue: FileQueue;
  /** For bytes that are held back for a while. */
  copy(bytes: Uint8Array): Uint8Array;
  temporaryFile(): string;
  path(cid: string): string;
  /** An object of `size` bytes that begins with the leaf `first`. */
  candidate(size: number, first: Uint8Array): ObjectInfo | undefined;
  /** Names the object under the lease; false where it is not here. */
  seeIfHere(info: ObjectInfo): boolean;
  /** Counts it as here from now on; answers what to call when its file is in place, or failed. */
  begin(info: ObjectInfo): Settle;
}

export function createObjectWriter(
  surroundings: WriterSurroundings,
  lease: StoreLease,
  expectedSize: number | undefined,
): ObjectWriter {
  return new DeduplicatingWriter(surroundings, lease, expectedSize);
}

/** Bytes, or the length of a run of zeros. */
type Piece = Uint8Array | number;

/**
 * hold: up to HELD_MAX nothing is decided. compare: every full leaf equalled the candidate's so far, only the leaf that
 * comes is held. stream: all goes to a file in `tmp/`.
 */
type Mode = 'hold' | 'compare' | 'stream' | 'over';

class DeduplicatingWriter implements ObjectWriter {
  readonly #around: WriterSurroundings;
  readonly #lease: StoreLease;
  readonly #expectedSize: number | undefined;
  readonly #hasher: FileHasher;
  #mode: Mode = 'hold';
  #size = 0;
  /** Pieces never cross a leaf's border. */
  #held: Piece[] = [];
  /** Leaf hashes while nothing is decided: at most HELD_MAX / CHUNK_SIZE. */
  #firstLeaves: Buffer[] = [];
  #candidate: ObjectInfo | undefined;
  #equalLeaves = 0;
  #stream: string | undefined;
  #written = 0;

  constructor(around: WriterSurroundings, lease: StoreLease, expectedSize: number | undefined) {
    this.#around = around;
    this.#lease = lease;
    this.#expectedSize = expectedSize;
    this.#hasher = createFileHasher({ onLeaf: (index, hash) => this.#onLeaf(index, hash) });
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + this.#roomInLeaf(bytes.length - at));
      this.#before(piece.length);
      if (this.#mode === 'stream') this.#append(piece);
      else this.#held.push(this.#around.copy(piece));
      this.#hasher.update(piece);
      at += piece.length;
    }
  }

  writeZeros(length: number): void {
    for (let left = length; left > 0; ) {
      // A stream takes a hole of any length at once.
      const run = this.#mode === 'stream' ? left : this.#roomInLeaf(left);
      this.#before(run);
      if (this.#mode === 'stream') this.#append(run);
      else this.#held.push(run);
      this.#hasher.updateZeros(run);
      left -= run;
    }
  }

  #roomInLeaf(wanted: number): number {
    return Math.min(wanted, CHUNK_SIZE - (this.#size % CHUNK_SIZE));
  }

  /** Counts what comes, and decides where it would be more than may be held. */
  #before(length: number): void {
    if (this.#mode === 'over') throw new Fault('internal', 'writer-over', 'this writer has finished');
    if (this.#mode === 'hold' && this.#size + length > HELD_MAX) this.#decide();
    this.#size += length;
  }

  #decide(): void {
    const [first] = this.#firstLeaves;
    if (first !== undefined && this.#expectedSize !== undefined && this.#expectedSize >= this.#size) {
      this.#candidate = this.#around.candidate(this.#expectedSize, first);
    }
    this.#mode = 'compare';
    const known = this.#firstLeaves;
    this.#firstLeaves = [];
    if (this.#candidate === undefined) this.#diverge();
    known.forEach((hash, index) => {
      this.#compare(index, hash);
    });
  }

  #onLeaf(index: number, hash: Uint8Array): void {
    if (this.#mode === 'hold') this.#firstLeaves.push(Buffer.from(hash));
    else if (this.#mode === 'compare') this.#compare(index, hash);
  }

  #compare(index: number, hash: Uint8Array): void {
    if (this.#mode !== 'compare') return;
    const leaf = this.#candidate?.leaves?.subarray(index * 32, index * 32 + 32);
    if (leaf === undefined || Buffer.compare(leaf, hash) !== 0) {
      this.#diverge();
      return;
    }
    this.#equalLeaves++;
    let left = CHUNK_SIZE;
    let pieces = 0;
    for (const piece of this.#held) {
      if (left <= 0) break;
      left -= lengthOf(piece);
      pieces++;
    }
    this.#held.splice(0, pieces);
  }

  /** From here on the bytes are new: what was equal is copied from the candidate's file, what is held follows. */
  #diverge(): void {
    this.#mode = 'stream';
    this.#stream = this.#around.temporaryFile();
    const equal = this.#equalLeaves * CHUNK_SIZE;
    if (equal > 0 && this.#candidate !== undefined) {
      const from = this.#around.path(this.#candidate.cid.toString());
      this.#around.queue.push({ op: 'copy', stream: this.#stream, from, length: equal });
      this.#written += equal;
    }
    for (const piece of this.#held) this.#append(piece);
    this.#held = [];
  }

  #append(piece: Piece): void {
    const stream = this.#stream as string;
    if (typeof piece === 'number') {
      this.#around.queue.push({ op: 'hole', stream, length: piece });
    } else {
      this.#around.queue.push({ op: 'append', stream }, [piece]);
      this.#written += piece.length;
    }
  }

  finish(): FinishedObject {
    if (this.#mode === 'over') throw new Fault('internal', 'writer-over', 'this writer has finished');
    if (this.#lease.failure !== undefined || this.#lease.ended) {
      this.abort();
      throw (
        this.#lease.failure ??
        new Fault(
          'internal',
          'lease-ended',
          `lease ${this.#lease.id} has ended: nothing can be stored under it`,
        )
      );
    }
    const { cid, size, leaves } = this.#hasher.finish();
    const info: ObjectInfo = { cid, size, ...(leaves !== undefined && { leaves }) };
    if (this.#around.seeIfHere(info)) {
      this.abort();
      return { ...info, written: 0 };
    }
    const path = this.#around.path(cid.toString());
    const settle = this.#around.begin(info);
    const pieces = this.#held;
    if (this.#mode === 'hold' && pieces.every((piece) => typeof piece !== 'number')) {
      this.#around.queue.push({ op: 'write', tmp: this.#around.temporaryFile(), path }, pieces, settle);
      this.#written = size;
    } else {
      if (this.#mode !== 'stream') this.#diverge();
      this.#around.queue.push({ op: 'publish', stream: this.#stream as string, path }, [], settle);
    }
    this.#mode = 'over';
    this.#held = [];
    return { ...info, written: this.#written };
  }

  abort(): void {
    if (this.#mode === 'stream') this.#around.queue.push({ op: 'discard', stream: this.#stream as string });
    this.#mode = 'over';
    this.#held = [];
  }
}

function lengthOf(piece: Piece): number {
  return typeof piece === 'number' ? piece : piece.length;
}
