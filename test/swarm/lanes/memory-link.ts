import { Fault } from '../../../src/base/fault.ts';
import type { ByteStream, PeerStreams, StreamHandler } from '../../../src/swarm/network/peer-streams.ts';

export interface LinkOptions {
  /** Milliseconds each way. */
  readonly delay?: number;
  /** Bytes a second each way. */
  readonly rate?: number;
  /** Bytes that may be on their way before `write` waits. */
  readonly buffer?: number;
}

/** One direction of a stream in memory. */
class Pipe {
  readonly #options: LinkOptions;
  readonly #chunks: { bytes: Uint8Array; at: number }[] = [];
  #ended = false;
  #fault: Error | undefined;
  #waiting: (() => void)[] = [];
  #inside = 0;
  #freeAt = 0;
  total = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#ended) throw new Error('written after the end');
    const { delay = 0, rate = Number.POSITIVE_INFINITY, buffer = 256 * 1024 } = this.#options;
    // As a carrier does: pieces of at most 64 KiB.
    for (let at = 0; at < bytes.length; at += 65_536) {
      const piece = bytes.slice(at, at + 65_536);
      const now = performance.now();
      this.#freeAt = Math.max(now, this.#freeAt) + (piece.length / rate) * 1000;
      this.#chunks.push({ bytes: piece, at: this.#freeAt + delay });
      this.#inside += piece.length;
      this.total += piece.length;
    }
    this.#wake();
    while (this.#inside > buffer && this.#fault === undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#fault !== undefined) throw this.#fault;
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  abort(reason: Error): void {
    this.#fault ??= reason;
    this.#wake();
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#fault !== undefined) throw this.#fault;
      const next = this.#chunks[0];
      if (next === undefined) {
        if (this.#ended) return;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        continue;
      }
      const wait = next.at - performance.now();
      if (wait > 0.5) {
        await new Promise((resolve) => setTimeout(resolve, wait));
        continue;
      }
      this.#chunks.shift();
      this.#inside -= next.bytes.length;
      this.#wake();
      yield next.bytes;
    }
  }
}

function end(peer: string, out: Pipe, back: Pipe): ByteStream {
  return {
    peer,
    write: (...pieces) => out.write(Buffer.concat(pieces)),
    closeWrite: () => {
      out.end();
      return Promise.resolve();
    },
    read: { [Symbol.asyncIterator]: () => back.read() },
    abort(reason) {
      out.abort(reason);
      back.abort(reason);
    },
  };
}

/** Two ends of one duplex stream: what `a` writes, `b` reads. */
export function memoryLink(options: LinkOptions = {}, names = { a: 'a', b: 'b' }) {
  const there = new Pipe(options);
  const back = new Pipe(options);
  return {
    a: end(names.b, there, back),
    b: end(names.a, back, there),
    /** Bytes written by `b` so far. */
    served: () => back.total,
  };
}

/** Peers in one process: who is connected to whom, and the streams between them. */
export class MemoryNetwork {
  readonly #handlers = new Map<string, Map<string, StreamHandler>>();
  readonly #links = new Map<string, LinkOptions>();
  readonly #listeners = new Map<string, Set<(peer: string, up: boolean) => void>>();
  readonly #streams = new Map<string, Set<ByteStream>>();
  readonly #inbound: { from: string; to: string; served: () => number }[] = [];

  connect(a: string, b: string, options: LinkOptions = {}): void {
    this.#links.set(`${a} ${b}`, options);
    this.#links.set(`${b} ${a}`, options);
    for (const tell of this.#listeners.get(a) ?? []) tell(b, true);
    for (const tell of this.#listeners.get(b) ?? []) tell(a, true);
  }

  disconnect(a: string, b: string): void {
    for (const key of [`${a} ${b}`, `${b} ${a}`]) {
      this.#links.delete(key);
      for (const stream of this.#streams.get(key) ?? []) stream.abort(new Error('connection lost'));
      this.#streams.delete(key);
    }
    for (const tell of this.#listeners.get(a) ?? []) tell(b, false);
    for (const tell of this.#listeners.get(b) ?? []) tell(a, false);
  }

  /** Bytes that `peer` wrote as the serving side. */
  served(peer: string): number {
    return this.#inbound.filter(({ to }) => to === peer).reduce((sum, { served }) => sum + served(), 0);
  }

  streams(self: string): PeerStreams {
    const handlers = new Map<string, StreamHandler>();
    this.#handlers.set(self, handlers);
    const listeners = new Set<(peer: string, up: boolean) => void>();
    this.#listeners.set(self, listeners);
    return {
      openStream: async (peer, protocol) => {
        const options = this.#links.get(`${self} ${peer}`);
        if (options === undefined)
          throw new Fault('unavailable', 'not-connected', `${peer} is not connected`);
        const handler = this.#handlers.get(peer)?.get(protocol);
        if (handler === undefined) throw new Fault('unsupported', 'no-such-protocol', protocol);
        await new Promise((resolve) => setTimeout(resolve, 2 * (options.delay ?? 0)));
        const { a, b, served } = memoryLink(options, { a: self, b: peer });
        const key = `${self} ${peer}`;
        const open = this.#streams.get(key) ?? new Set();
        this.#streams.set(key, open.add(a));
        this.#inbound.push({ from: self, to: peer, served });
        handler(b, self);
        return a;
      },
      handle: (protocol, handler) => {
        handlers.set(protocol, handler);
      },
      connectedStations: () =>
        [...this.#links.keys()]
          .filter((key) => key.startsWith(`${self} `))
          .map((key) => key.slice(self.length + 1)),
      onPeer: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      latency: () => undefined,
    };
  }
}
