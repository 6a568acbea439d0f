import type { MultiaddrConnection, StreamCloseEvent } from '@libp2p/interface';
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils';
import type { Uint8ArrayList } from 'uint8arraylist';
import type { SalsaStream } from './salsa-stream.ts';

/**
 * What both sides of a libp2p connection send first, length-prefixed (libp2p specs, connections/README.md,
 * "multistream-select"). A peer with another network key, or with one where we have none, shows itself here.
 */
export const FIRST_BYTES: Uint8Array = Buffer.from('\x13/multistream/1.0.0\n', 'latin1');

/** A message of the multiplexer without data, in a noise message: 30 bytes. Sent each alone they cost a system call and a packet each. */
const SMALL_BYTES = 256;

export interface ConnectionCiphers {
  readonly inbound: SalsaStream;
  readonly outbound: SalsaStream;
}

export interface GuardedConnectionInit {
  readonly connection: MultiaddrConnection;
  /** Absent on the public network: bytes pass as they are. */
  readonly ciphers?: ConnectionCiphers;
  /** The peer's first bytes are not libp2p's, or it went before it sent them. Answers the error to end with. */
  readonly foreign: (how: 'other-bytes' | 'closed') => Error;
}

/** The connection below the security handshake: ciphered where there is a network key, its first bytes looked at. */
export class GuardedConnection extends AbstractMultiaddrConnection {
  readonly #connection: MultiaddrConnection;
  readonly #ciphers: ConnectionCiphers | undefined;
  readonly #foreign: GuardedConnectionInit['foreign'];
  #held: Uint8Array[] = [];
  /** First bytes still to come. */
  #unseen = FIRST_BYTES;

  constructor(init: GuardedConnectionInit) {
    const { connection } = init;
    super({ log: connection.log, remoteAddr: connection.remoteAddr, direction: connection.direction });
    this.#connection = connection;
    this.#ciphers = init.ciphers;
    this.#foreign = init.foreign;
    connection.addEventListener('message', ({ data }) => {
      for (const bytes of data instanceof Uint8Array ? [data] : data) this.#receive(bytes);
    });
    connection.addEventListener('drain', () => this.onMuxerDrain());
    connection.addEventListener('close', (event) => {
      if (this.#unseen.length > 0 && this.status === 'open' && !isOurAbort(event)) {
        this.abort(this.#foreign('closed'));
      } else if (event.error === undefined) this.onTransportClosed();
      else if (event.local === true) this.abort(event.error);
      else this.onRemoteReset();
    });
  }

  override sendData(data: Uint8ArrayList): SendResult {
    const sentBytes = data.byteLength;
    if (sentBytes <= SMALL_BYTES) {
      this.#hold(this.#ciphered(data));
      return { sentBytes, canSendMore: true };
    }
    this.#sendHeld();
    const bytes = this.#ciphers === undefined ? data : this.#ciphered(data);
    return { sentBytes, canSendMore: this.#connection.send(bytes) };
  }

  /** Into new memory: what is sent may be constants or blocks that others hold. */
  #ciphered(data: Uint8ArrayList): Uint8Array {
    const target = Buffer.allocUnsafe(data.byteLength);
    let offset = 0;
    for (const bytes of data) {
      const part = target.subarray(offset, offset + bytes.length);
      if (this.#ciphers === undefined) part.set(bytes);
      else this.#ciphers.outbound.update(part, bytes);
      offset += bytes.length;
    }
    return target;
  }

  /** Until the end of this turn of the event loop: acknowledgements of what came in it go as one packet. */
  #hold(bytes: Uint8Array): void {
    if (this.#held.length === 0) setImmediate(() => this.#sendHeld());
    this.#held.push(bytes);
  }

  #sendHeld(): void {
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    if (this.#connection.status !== 'open') return;
    this.#connection.send(held.length === 1 ? held[0]! : Buffer.concat(held));
  }

  override async sendClose(options?: { signal?: AbortSignal }): Promise<void> {
    this.#sendHeld();
    await this.#connection.close(options);
  }

  override sendReset(error: Error): void {
    this.#connection.abort(error);
  }

  override sendPause(): void {
    this.#connection.pause();
  }

  override sendResume(): void {
    this.#connection.resume();
  }

  #receive(bytes: Uint8Array): void {
    if (this.status === 'aborted' || this.status === 'reset') return;
    // In place: a received buffer is the socket's and goes to nobody else.
    this.#ciphers?.inbound.update(bytes, bytes);
    const check = Math.min(this.#unseen.length, bytes.length);
    for (let at = 0; at < check; at++) {
      if (bytes[at] === this.#unseen[at]) continue;
      this.abort(this.#foreign('other-bytes'));
      return;
    }
    this.#unseen = this.#unseen.subarray(check);
    this.onData(bytes);
  }
}

/** A reset by the peer comes as a local abort too, then with the system's error (ECONNRESET). */
function isOurAbort({ local, error }: StreamCloseEvent): boolean {
  return local === true && error !== undefined && (error as NodeJS.ErrnoException).errno === undefined;
}
