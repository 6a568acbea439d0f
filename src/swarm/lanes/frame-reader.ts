import { readVarint } from '../../base/varint.ts';
import { FieldReader, violation } from './fields.ts';
import { type MessageRow, rowOfCode } from './message-table.ts';
import type { Message } from './messages.ts';

/** Bytes of the longest length prefix of a frame within the table's limits, and the code behind it. */
const HEAD_BYTES = 5;

/**
 * Cuts what comes into messages. A frame that lies whole in one chunk is read in place; one that spans chunks is
 * gathered once in a buffer of its own, which is allocated only after its length was held against its row.
 */
export class FrameReader {
  readonly #side: 'wanter' | 'server';
  /** Where a length prefix and code are split between chunks. */
  #head: Uint8Array = new Uint8Array(0);
  #frame: Buffer | undefined;
  #filled = 0;

  /** @param peerSide what the sender of these bytes is: a message that only the other side may send is refused */
  constructor(peerSide: 'wanter' | 'server') {
    this.#side = peerSide;
  }

  /** The peer stopped in the middle of a frame. */
  get cut(): boolean {
    return this.#frame !== undefined || this.#head.length > 0;
  }

  /**
   * Payloads of the messages are views into `chunk` or into a buffer made for the frame.
   * @throws Fault `invalid/lane-violation`; the reader is of no more use then
   */
  push(chunk: Uint8Array, onMessage: (message: Message) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame !== undefined) {
        const part = chunk.subarray(at, at + this.#frame.length - this.#filled);
        this.#frame.set(part, this.#filled);
        this.#filled += part.length;
        at += part.length;
        if (this.#filled < this.#frame.length) return;
        const whole = this.#frame;
        this.#frame = undefined;
        onMessage(this.#read(whole));
        continue;
      }
      if (this.#head.length > 0) {
        const taken = Math.min(HEAD_BYTES - this.#head.length, chunk.length - at);
        const head = Buffer.concat([this.#head, chunk.subarray(at, at + taken)]);
        const length = readVarint(head, 0);
        if (length === undefined || length.next >= head.length) {
          if (head.length >= HEAD_BYTES) throw violation('a frame without a sensible length');
          this.#head = head;
          return;
        }
        this.#admit(length.value, head[length.next]!);
        this.#frame = Buffer.allocUnsafe(length.value);
        this.#filled = 0;
        // A kept head never holds a code, so all of the frame is still in the chunk.
        at += length.next - this.#head.length;
        this.#head = new Uint8Array(0);
        continue;
      }
      const length = readVarint(chunk, at);
      if (length === undefined || length.next >= chunk.length) {
        if (chunk.length - at >= HEAD_BYTES || (length !== undefined && length.value === 0)) {
          throw violation('a frame without a sensible length');
        }
        this.#head = chunk.slice(at);
        return;
      }
      this.#admit(length.value, chunk[length.next]!);
      const end = length.next + length.value;
      if (end <= chunk.length) {
        onMessage(this.#read(chunk.subarray(length.next, end)));
        at = end;
        continue;
      }
      this.#frame = Buffer.allocUnsafe(length.value);
      this.#frame.set(chunk.subarray(length.next), 0);
      this.#filled = chunk.length - length.next;
      return;
    }
  }

  #admit(length: number, code: number): MessageRow {
    if (length === 0) throw violation('an empty frame');
    const row = rowOfCode(code);
    if (length > row.maxBytes) throw violation(`a ${row.type} frame of ${length} bytes`);
    if (row.from !== 'both' && row.from !== this.#side) throw violation(`${row.type} from the wrong side`);
    return row;
  }

  #read(frame: Uint8Array): Message {
    const row = rowOfCode(frame[0]!);
    const from = new FieldReader(frame, 1);
    const message = row.read(from);
    from.end();
    return message;
  }
}
