import { Fault } from '../../base/fault.ts';
import { readVarint, varintLength, writeVarint } from '../../base/varint.ts';

/** What a peer sent breaks the protocol; the lane is closed with it as the reason. */
export function violation(text: string, fields: Record<string, string | number> = {}): Fault {
  return new Fault('invalid', 'lane-violation', text, { fields });
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Reads the fields of one frame in order. Every length is checked against what is left before it is used. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws Fault `invalid/lane-violation` past `max` or at the end of the frame */
  varint(what: string, max: number = Number.MAX_SAFE_INTEGER): number {
    const first = this.#bytes[this.#at];
    if (first !== undefined && first < 128) {
      if (first > max) throw violation(`${what} is ${first}, more than ${max}`);
      this.#at++;
      return first;
    }
    const read = readVarint(this.#bytes, this.#at);
    if (read === undefined) throw violation(`the frame ends inside ${what}`);
    if (read.value > max) throw violation(`${what} is ${read.value}, more than ${max}`);
    this.#at = read.next;
    return read.value;
  }

  /** A view of the next `length` bytes. */
  bytes(what: string, length: number): Uint8Array {
    if (length > this.left) throw violation(`the frame ends inside ${what}`);
    const view = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return view;
  }

  /** Length-prefixed bytes. */
  counted(what: string, max: number): Uint8Array {
    return this.bytes(what, this.varint(`length of ${what}`, max));
  }

  text(what: string, max: number): string {
    const bytes = this.counted(what, max);
    try {
      return decoder.decode(bytes);
    } catch {
      throw violation(`${what} is not UTF-8`);
    }
  }

  rest(): Uint8Array {
    return this.bytes('the rest', this.left);
  }

  end(): void {
    if (this.left > 0) throw violation(`${this.left} bytes too many in the frame`);
  }
}

/** Collects the fields of one frame; grows by doubling. */
export class FieldWriter {
  #bytes = Buffer.allocUnsafe(256);
  #at = 0;

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + length));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }

  varint(value: number): this {
    this.#room(8);
    this.#at = writeVarint(this.#bytes, this.#at, value);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  counted(value: Uint8Array): this {
    return this.varint(value.length).bytes(value);
  }

  text(value: string): this {
    return this.counted(Buffer.from(value, 'utf8'));
  }

  /** @param follows bytes that the caller writes behind these fields as part of the same frame */
  frame(follows = 0): Buffer {
    const prefix = varintLength(this.#at + follows);
    const frame = Buffer.allocUnsafe(prefix + this.#at);
    writeVarint(frame, 0, this.#at + follows);
    this.#bytes.copy(frame, prefix, 0, this.#at);
    return frame;
  }
}
