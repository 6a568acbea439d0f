import type { FuseChannel } from '../channel.ts';
import { OUT_HEADER } from '../wire/reply-layouts.ts';

/** The longest body: one READ of 1 MiB. */
export const BODY_ROOM = 1 << 20;
const HEADER = OUT_HEADER.size;

/** The reply being made: one buffer for the life of the session; all kinds of replies write their body into it. */
export class ReplyFrame {
  readonly bytes = new Uint8Array(HEADER + BODY_ROOM);
  readonly view = new DataView(this.bytes.buffer);
  /** Bytes of the body so far. */
  size = 0;
  /** Views of the shortest frames, by length: those of a fixed size, which are nearly all, are made once. */
  readonly #short: (Uint8Array | undefined)[] = [];

  /** Where the body begins. */
  get from(): number {
    return HEADER;
  }

  /** Sends the body to the request `high`/`low`. @throws what the channel throws */
  send(channel: FuseChannel, high: number, low: number): void {
    this.#write(channel, high, low, HEADER + this.size, 0);
  }

  /** @param errno positive */
  refuse(channel: FuseChannel, high: number, low: number, errno: number): void {
    this.#write(channel, high, low, HEADER, -errno);
  }

  #write(channel: FuseChannel, high: number, low: number, length: number, error: number): void {
    const { view } = this;
    view.setUint32(OUT_HEADER.at.length, length, true);
    view.setInt32(OUT_HEADER.at.error, error, true);
    view.setUint32(OUT_HEADER.at.unique, low, true);
    view.setUint32(OUT_HEADER.at.unique + 4, high, true);
    if (length > 512) {
      channel.write(this.bytes.subarray(0, length));
      return;
    }
    this.#short[length] ??= this.bytes.subarray(0, length);
    channel.write(this.#short[length]);
  }
}
