import type { CID } from 'multiformats/cid';
import { sha256 } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { CHUNK_SIZE, leafCount, rawCid } from '../image/dag/file-dag.ts';
import type { FileQueue, QueuedOp } from './file-queue.ts';
import { bitmapLength, clearBit, countBits, hasBit, setBit } from './leaf-bitmap.ts';
import type { ObjectInfo, PartialObject, PutOptions } from './object-store.ts';

/** What a partial object needs from the objects around it. */
export interface PartialSurroundings {
  readonly queue: FileQueue;
  readonly path: string;
  readonly bitsPath: string;
  readonly objectPath: string;
  temporaryFile(): string;
  /** All leaves are in place and the file lies in `cas/`. */
  completed(): void;
}

/** Bits on disk trail the bytes by at most this. */
const BITS_DELAY_MS = 500;
/** sha2-256 of 262,144 zero bytes: such a leaf stays a hole. */
const ZERO_LEAF = Buffer.from('8a39d2abd3999ab73c34db2476849cddf303ce389b35826850f9a700589b4a90', 'hex');

/** A partial object in memory; see {@link PartialObject}. One a CID, shared by all that fetch or serve it. */
export class LivePartial implements PartialObject {
  readonly cid: CID;
  readonly size: number;
  readonly leafCount: number;
  readonly leaves: Uint8Array;
  readonly bitmap: Uint8Array;
  readonly #around: PartialSurroundings;
  readonly #writing = new Map<number, Promise<void>>();
  #missing: number;
  #timer: NodeJS.Timeout | undefined;
  #finishing: Promise<void> | undefined;
  complete = false;
  /** It was swept, or the store closed. */
  gone = false;

  /** @param bits the bitmap as it lies on disk, where there is one of the right length */
  constructor(
    info: ObjectInfo & { readonly leaves: Uint8Array },
    around: PartialSurroundings,
    bits?: Uint8Array,
  ) {
    this.cid = info.cid;
    this.size = info.size;
    this.leaves = info.leaves;
    this.leafCount = leafCount(info.size);
    this.bitmap = new Uint8Array(bitmapLength(this.leafCount));
    if (bits?.length === this.bitmap.length) this.bitmap.set(bits);
    this.#around = around;
    for (let leaf = 0; leaf < this.leafCount; leaf++) {
      if (ZERO_LEAF.equals(this.leafHash(leaf))) setBit(this.bitmap, leaf);
    }
    this.#missing = this.leafCount - countBits(this.bitmap, this.leafCount);
  }

  leafHash(leaf: number): Uint8Array {
    return this.leaves.subarray(leaf * 32, leaf * 32 + 32);
  }

  leafLength(leaf: number): number {
    return Math.min(CHUNK_SIZE, this.size - leaf * CHUNK_SIZE);
  }

  get path(): string {
    return this.complete ? this.#around.objectPath : this.#around.path;
  }

  get bytesHere(): number {
    return Math.min(this.size, (this.leafCount - this.#missing) * CHUNK_SIZE);
  }

  hasLeaf(leaf: number): boolean {
    return leaf >= 0 && leaf < this.leafCount && hasBit(this.bitmap, leaf);
  }

  async putLeaf(leaf: number, bytes: Uint8Array, { checked = false }: PutOptions = {}): Promise<void> {
    if (!Number.isInteger(leaf) || leaf < 0 || leaf >= this.leafCount) {
      throw new Fault(
        'invalid',
        'no-such-leaf',
        `${this.cid} has ${this.leafCount} leaves, not leaf ${leaf}`,
        {
          fields: { block: this.cid.toString(), leaf },
        },
      );
    }
    const hash = this.leafHash(leaf);
    if (bytes.length !== this.leafLength(leaf) || !(checked || sha256(bytes).equals(hash))) {
      const block = rawCid(hash).toString();
      throw new Fault('corrupt', 'block-mismatch', `bytes given for ${block} do not hash to it`, {
        fields: { block, object: this.cid.toString(), leaf },
      });
    }
    await this.#fill(
      leaf,
      { op: 'patch', path: this.#around.path, offset: leaf * CHUNK_SIZE, size: this.size },
      [bytes],
    );
  }

  /** Takes a leaf from another file of the store. */
  async copyLeaf(leaf: number, from: string, fromOffset: number): Promise<void> {
    const { path } = this.#around;
    const length = this.leafLength(leaf);
    const offset = leaf * CHUNK_SIZE;
    await this.#fill(leaf, { op: 'patch-from', path, offset, size: this.size, from, fromOffset, length }, []);
  }

  async #fill(leaf: number, op: QueuedOp, pieces: readonly Uint8Array[]): Promise<void> {
    if (this.gone) throw this.#goneFault();
    if (!this.hasLeaf(leaf)) {
      let writing = this.#writing.get(leaf);
      if (writing === undefined) {
        writing = new Promise<void>((resolve, reject) => {
          this.#around.queue.push(op, pieces, (failure) => {
            this.#writing.delete(leaf);
            if (failure !== undefined) return reject(failure);
            setBit(this.bitmap, leaf);
            this.#missing--;
            this.#writeBitsSoon();
            resolve();
          });
        });
        this.#writing.set(leaf, writing);
      }
      await writing;
    }
    await this.finishIfWhole();
  }

  /** Moves the file into `cas/` once no leaf is missing. */
  async finishIfWhole(): Promise<void> {
    if (this.#missing > 0 || this.complete) return;
    if (this.gone) throw this.#goneFault();
    this.#finishing ??= new Promise<void>((resolve, reject) => {
      clearTimeout(this.#timer);
      const { queue, path, objectPath, bitsPath } = this.#around;
      queue.push({ op: 'move', from: path, path: objectPath, size: this.size }, [], (failure) => {
        this.#finishing = undefined;
        if (failure !== undefined) return reject(failure);
        this.complete = true;
        this.#around.completed();
        resolve();
      });
      queue.push({ op: 'unlink', path: bitsPath });
    });
    await this.#finishing;
  }

  /** Its bytes turned out to be bad. */
  forgetLeaf(leaf: number): void {
    if (!this.hasLeaf(leaf) || ZERO_LEAF.equals(this.leafHash(leaf))) return;
    clearBit(this.bitmap, leaf);
    this.#missing++;
  }

  #goneFault(): Fault {
    return new Fault('not-found', 'no-object', `the partial object ${this.cid} is no longer kept`, {
      fields: { block: this.cid.toString() },
    });
  }

  #writeBitsSoon(): void {
    if (this.#timer !== undefined || this.#missing === 0) return;
    this.#timer = setTimeout(() => this.writeBits(), BITS_DELAY_MS);
    this.#timer.unref();
  }

  /** Brings the bitmap to disk; what is set in it was written before. */
  writeBits(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.gone || this.complete) return;
    this.#around.queue.push({ op: 'write', tmp: this.#around.temporaryFile(), path: this.#around.bitsPath }, [
      this.bitmap,
    ]);
  }

  /** Nothing is written any more. */
  drop(): void {
    clearTimeout(this.#timer);
    this.gone = true;
  }
}
