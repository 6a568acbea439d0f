import type { Fault } from '../../../src/base/fault.ts';
import { inflateGroup, splitGroup } from '../../../src/swarm/lanes/block-group.ts';
import { MessagePort } from '../../../src/swarm/lanes/message-port.ts';
import type { Message, MessageType, WantMessage } from '../../../src/swarm/lanes/messages.ts';
import type { ByteStream } from '../../../src/swarm/network/peer-streams.ts';

/** The wanting side by hand: sends whatever a test says and keeps what comes. */
export class RawWanter {
  readonly port: MessagePort;
  readonly messages: Message[] = [];
  closed: Fault | undefined;
  #waiting: (() => void)[] = [];

  constructor(stream: ByteStream) {
    this.port = new MessagePort(stream, 'wanter', {
      message: (message) => {
        this.messages.push(message);
        this.#wake();
      },
      received: () => {},
      closed: (fault) => {
        this.closed = fault;
        this.#wake();
      },
    });
    this.port.start();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  hello(): this {
    this.port.send({ type: 'hello', version: 1, features: 0 });
    return this;
  }

  want(
    firstId: number,
    digests: readonly Uint8Array[],
    wantClass: WantMessage['wantClass'] = 'background',
    level = 0,
  ): void {
    this.port.send({
      type: 'want',
      firstId,
      wantClass,
      level,
      codecs: new Uint8Array(digests.length).fill(0x55),
      digests: new Uint8Array(Buffer.concat(digests)),
    });
  }

  /** Waits until what came satisfies `done`, or the lane closed. */
  async until(done: (messages: Message[]) => boolean): Promise<void> {
    while (!done(this.messages) && this.closed === undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async ended(): Promise<Fault> {
    await this.until(() => false);
    return this.closed!;
  }

  of<T extends MessageType>(type: T): Extract<Message, { type: T }>[] {
    return this.messages.filter((message) => message.type === type) as never;
  }

  /** Ids of the blocks that came, in their order. */
  ids(): number[] {
    return this.of('blocks').flatMap((message) => [...message.ids]);
  }

  async bytes(): Promise<Map<number, Uint8Array>> {
    const found = new Map<number, Uint8Array>();
    for (const { ids, lengths, zstd, payload } of this.of('blocks')) {
      const plain = zstd ? await inflateGroup(payload, lengths) : payload;
      splitGroup(plain, lengths).forEach((block, i) => {
        found.set(ids[i]!, block);
      });
    }
    return found;
  }
}
