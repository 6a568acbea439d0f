import { Fault, toFault } from '../../base/fault.ts';
import type { ByteStream } from '../network/peer-streams.ts';
import { violation } from './fields.ts';
import { FrameReader } from './frame-reader.ts';
import { MAX_WAITING_BYTES } from './lane-limits.ts';
import { encodeMessage } from './message-table.ts';
import type { Message } from './messages.ts';
import { Wake } from './wake.ts';

/** What waits goes as one write up to this: a frame of the multiplexer, a noise message and a system call each cost 20 us. */
const JOIN_BYTES = 512 * 1024;
/** For a peer that broke the protocol to read why its lane ends. */
const LAST_WORD_MS = 1000;

export interface PortListener {
  /** In the order of the stream. What it throws closes the port. */
  message(message: Message): void;
  /** After each chunk's messages. @param wire bytes of the chunk */
  received(wire: number): void;
  /** Once, whatever the reason. */
  closed(fault: Fault): void;
}

/** Both directions of one lane as messages. */
export class MessagePort {
  readonly peer: string;
  /** Wire bytes handed to the stream so far. */
  sentWire = 0;
  receivedWire = 0;
  readonly #stream: ByteStream;
  readonly #side: 'wanter' | 'server';
  readonly #listener: PortListener;
  readonly #wake = new Wake();
  #queue: Uint8Array[] = [];
  #queued = 0;
  /** The write under way. */
  #write: Promise<void> | undefined;
  #idle: (() => void)[] = [];
  #closed: Fault | undefined;

  /** @param side what this end is */
  constructor(stream: ByteStream, side: 'wanter' | 'server', listener: PortListener) {
    this.#stream = stream;
    this.peer = stream.peer;
    this.#side = side;
    this.#listener = listener;
  }

  get closedBy(): Fault | undefined {
    return this.#closed;
  }

  start(): void {
    void this.#readLoop();
    void this.#writeLoop();
  }

  /**
   * Queues a message; it is not copied again, so its payload must not change.
   * @param pieces the payload, where it is not in the message but in several places
   */
  send(message: Message, pieces: readonly Uint8Array[] = []): void {
    if (this.#closed !== undefined) return;
    let more = 0;
    for (const piece of pieces) more += piece.length;
    this.#enqueue(encodeMessage(message, more));
    if ('payload' in message && message.payload.length > 0) this.#enqueue(message.payload);
    for (const piece of pieces) this.#enqueue(piece);
    this.#wake.wake();
    if (this.#queued > MAX_WAITING_BYTES) this.close(violation('the peer does not read what it asked for'));
  }

  /** Resolves when all that was sent is handed over and more may be, or when the port is closed. */
  flushed(): Promise<void> {
    if (this.#closed !== undefined || (this.#queued === 0 && this.#write === undefined))
      return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Ends the stream both ways; a violation is told to the peer first. Idempotent. */
  close(fault: Fault): void {
    if (this.#closed !== undefined) return;
    this.#closed = fault;
    this.#queue = [];
    this.#queued = 0;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
    this.#wake.wake();
    void this.#end(fault);
    this.#listener.closed(fault);
  }

  async #end(fault: Fault): Promise<void> {
    if (fault.code !== 'lane-violation') {
      this.#stream.abort(fault);
      return;
    }
    // Best effort: a reset may overtake what was written, so the peer gets time to read why; one that does not read
    // must not keep the stream.
    setTimeout(() => this.#stream.abort(fault), LAST_WORD_MS).unref();
    try {
      await this.#write;
      await this.#stream.write(encodeMessage({ type: 'error', code: fault.code, text: fault.message }));
      await this.#stream.closeWrite();
    } catch {
      // It is gone already.
    }
  }

  #enqueue(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#queued += bytes.length;
  }

  async #writeLoop(): Promise<void> {
    try {
      while (this.#closed === undefined) {
        const first = this.#queue[0];
        if (first === undefined) {
          await this.#wake.sleep();
          continue;
        }
        let count = 0;
        let joined = 0;
        while (count < this.#queue.length && joined + this.#queue[count]!.length <= JOIN_BYTES) {
          joined += this.#queue[count++]!.length;
        }
        const pieces = this.#queue.splice(0, Math.max(1, count));
        const length = Math.max(joined, first.length);
        this.#queued -= length;
        this.sentWire += length;
        this.#write = this.#stream.write(...pieces);
        await this.#write;
        this.#write = undefined;
        if (this.#queued === 0 && this.#idle.length > 0) {
          const idle = this.#idle;
          this.#idle = [];
          for (const resolve of idle) resolve();
        }
      }
    } catch (thrown) {
      this.close(lost(thrown));
    }
  }

  async #readLoop(): Promise<void> {
    const reader = new FrameReader(this.#side === 'wanter' ? 'server' : 'wanter');
    const onMessage = (message: Message): void => {
      if (this.#closed !== undefined) return;
      if (message.type === 'error') {
        throw new Fault('unavailable', 'lane-refused', `the peer closed the lane: ${message.text}`, {
          fields: { peer: this.peer, code: message.code },
        });
      }
      this.#listener.message(message);
    };
    try {
      for await (const chunk of this.#stream.read) {
        if (this.#closed !== undefined) return;
        this.receivedWire += chunk.length;
        reader.push(chunk, onMessage);
        this.#listener.received(chunk.length);
      }
      this.close(
        new Fault(
          'unavailable',
          'lane-closed',
          `the peer closed the lane${reader.cut ? ' in a frame' : ''}`,
          {
            fields: { peer: this.peer },
          },
        ),
      );
    } catch (thrown) {
      this.close(lost(thrown));
    }
  }
}

function lost(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  return new Fault('unavailable', 'lane-lost', `the lane was lost: ${toFault(thrown).message}`, {
    cause: thrown,
  });
}
