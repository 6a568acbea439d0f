import { Worker } from 'node:worker_threads';
import { Fault, toFault } from '../base/fault.ts';
import type {
  FileBatch,
  FileBatchDone,
  FileOp,
  FileOpFailure,
  FileWorkerData,
  SlabSlice,
} from './file-op.ts';
import { encodeOps } from './file-op-codec.ts';

/** Called once when the operation is done, in the order of the operations. */
export type Settle = (failure: Fault | undefined) => void;

/** A {@link FileOp} before its bytes have their place in a slab. */
export type QueuedOp = FileOp extends infer Op
  ? Op extends SlabSlice
    ? Omit<Op, keyof SlabSlice>
    : Op
  : never;

/**
 * File operations in order, done by one worker thread. Everything that changes files of the store goes through it, so
 * that an unlink of a sweep and a new write of the same object can never overtake each other.
 */
export interface FileQueue {
  /** @param pieces the bytes of a `write`, `append` or `patch`, copied before this returns */
  push(op: QueuedOp, pieces?: readonly Uint8Array[], settle?: Settle): void;
  /** There is so much in it that a writer should wait for {@link drained}. */
  readonly full: boolean;
  /** Resolves at once while the queue is short. */
  drained(): Promise<void>;
  /** Everything pushed so far is done and settled. */
  idle(): Promise<void>;
  /** Blocks this thread until everything pushed so far is done; nothing of it is settled yet. */
  waitSync(): void;
  close(): Promise<void>;
}

export interface FileQueueSettings {
  /** Bytes and operations on their way above which `drained` waits. */
  readonly maxBytes: number;
  readonly maxOps: number;
  /** On the filesystem of all files. */
  readonly folder: string;
  /** Bytes to leave free there: writes fail as on a full disk before they touch it. */
  readonly reserveBytes: number;
}

const SLAB_SIZE = 1024 * 1024;
const MAX_BATCH_OPS = 256;
const MAX_SPARE_SLABS = 8;
/**
 * Batches on their way while which small ones are held back: the worker has enough to do, and a batch costs a
 * turn of both threads however little is in it.
 */
const BATCHES_UNDER_WAY = 2;
const SYNC_WAIT_MS = 60_000;

interface SentBatch {
  readonly id: number;
  readonly settles: readonly (Settle | undefined)[];
  readonly bytes: number;
}

export function createFileQueue(settings: FileQueueSettings): FileQueue {
  return new WorkerFileQueue(settings);
}

class WorkerFileQueue implements FileQueue {
  readonly #settings: FileQueueSettings;
  readonly #worker: Worker;
  readonly #progress = new Int32Array(new SharedArrayBuffer(4));
  readonly #sent: SentBatch[] = [];
  readonly #spare: ArrayBuffer[] = [];
  #ops: FileOp[] = [];
  #settles: (Settle | undefined)[] = [];
  #slab: ArrayBuffer | undefined;
  #used = 0;
  #lastId = 0;
  #bytes = 0;
  #count = 0;
  #scheduled = false;
  #broken: Fault | undefined;
  #waiters: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  constructor(settings: FileQueueSettings) {
    this.#settings = settings;
    const { folder, reserveBytes } = settings;
    const workerData: FileWorkerData = { progress: this.#progress, folder, reserveBytes };
    // From the sources by type stripping, from the bundle beside its entry.
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    this.#worker = new Worker(new URL(`./file-worker${extension}`, import.meta.url), {
      workerData,
      execArgv: [],
      name: 'store-files',
    });
    this.#worker.on('message', (done: FileBatchDone) => this.#finish(done));
    this.#worker.on('error', (error) => this.#break(error));
    this.#worker.unref();
  }

  push(op: QueuedOp, pieces: readonly Uint8Array[] = [], settle?: Settle): void {
    if (this.#broken !== undefined) {
      const broken = this.#broken;
      if (settle !== undefined) queueMicrotask(() => settle(broken));
      return;
    }
    let length = 0;
    for (const piece of pieces) length += piece.length;
    if (this.#ops.length > 0 && (this.#ops.length >= MAX_BATCH_OPS || this.#used + length > this.#slabSize)) {
      this.#post();
    }
    this.#slab ??= this.#takeSlab(length);
    const at = this.#used;
    const bytes = new Uint8Array(this.#slab);
    for (const piece of pieces) {
      bytes.set(piece, this.#used);
      this.#used += piece.length;
    }
    this.#ops.push({ ...op, at, length: 'length' in op ? op.length : length } as FileOp);
    this.#settles.push(settle);
    this.#bytes += length;
    this.#count++;
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        if (this.#sent.length < BATCHES_UNDER_WAY) this.#post();
      });
    }
  }

  get #slabSize(): number {
    return this.#slab?.byteLength ?? SLAB_SIZE;
  }

  #takeSlab(length: number): ArrayBuffer {
    if (length > SLAB_SIZE) return new ArrayBuffer(length);
    return this.#spare.pop() ?? new ArrayBuffer(SLAB_SIZE);
  }

  #post(): void {
    if (this.#ops.length === 0 || this.#slab === undefined) return;
    const batch: FileBatch = { id: ++this.#lastId, slab: this.#slab, ...encodeOps(this.#ops) };
    this.#sent.push({ id: batch.id, settles: this.#settles, bytes: this.#used });
    this.#ops = [];
    this.#settles = [];
    this.#slab = undefined;
    this.#used = 0;
    this.#worker.ref();
    this.#worker.postMessage(batch, [batch.slab, batch.numbers.buffer]);
  }

  #finish({ failures, slab }: FileBatchDone): void {
    const batch = this.#sent.shift();
    if (batch === undefined) return;
    if (slab.byteLength === SLAB_SIZE && this.#spare.length < MAX_SPARE_SLABS) this.#spare.push(slab);
    this.#bytes -= batch.bytes;
    this.#count -= batch.settles.length;
    const failed = new Map<number, FileOpFailure>(failures.map((failure) => [failure.index, failure]));
    batch.settles.forEach((settle, index) => {
      const failure = failed.get(index);
      settle?.(failure && faultOf(failure));
    });
    if (this.#sent.length < BATCHES_UNDER_WAY) this.#post();
    if (this.#sent.length === 0) this.#worker.unref();
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.done()) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  #until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ done, resolve }));
  }

  get full(): boolean {
    return this.#bytes >= this.#settings.maxBytes || this.#count >= this.#settings.maxOps;
  }

  drained(): Promise<void> {
    const { maxBytes, maxOps } = this.#settings;
    if (!this.full) return Promise.resolve();
    this.#post();
    return this.#until(() => this.#bytes <= maxBytes / 2 && this.#count <= maxOps / 2);
  }

  idle(): Promise<void> {
    this.#post();
    const last = this.#lastId;
    return this.#until(() => this.#sent.length === 0 || (this.#sent[0] as SentBatch).id > last);
  }

  waitSync(): void {
    this.#post();
    const last = this.#lastId;
    for (let seen = Atomics.load(this.#progress, 0); seen < last; seen = Atomics.load(this.#progress, 0)) {
      if (Atomics.wait(this.#progress, 0, seen, SYNC_WAIT_MS) === 'timed-out') {
        throw new Fault(
          'unavailable',
          'disk-stalled',
          `the disk did not take a write for ${SYNC_WAIT_MS} ms`,
        );
      }
    }
  }

  /** The worker died: what is on its way fails, and so does all that comes. */
  #break(error: Error): void {
    this.#broken = toFault(error);
    const lost = this.#sent.splice(0).flatMap((batch) => batch.settles);
    lost.push(...this.#settles);
    this.#ops = [];
    this.#settles = [];
    this.#bytes = 0;
    this.#count = 0;
    for (const settle of lost) settle?.(this.#broken);
    this.#wake();
  }

  async close(): Promise<void> {
    await this.idle();
    await this.#worker.terminate();
  }
}

function faultOf({ code, path, message }: FileOpFailure): Fault {
  return toFault(Object.assign(new Error(message), { code, path }));
}
