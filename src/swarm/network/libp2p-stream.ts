import type { Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import { Fault } from '../../base/fault.ts';
import type { ByteStream } from './peer-streams.ts';

/** Unread bytes above which the peer is told to wait. */
const PAUSE_ABOVE = 512 * 1024;
const RESUME_BELOW = 128 * 1024;

/**
 * Shows a libp2p stream (events, `send` and `drain`) as a {@link ByteStream}. To be made in the same turn in which
 * libp2p hands the stream over: what comes without a listener is kept by libp2p up to its own limit only.
 */
export function toByteStream(stream: Stream, peer: string): ByteStream {
  let queue: Uint8Array[] = [];
  let queued = 0;
  let paused = false;
  /** The peer ended its direction, so that an end is one of the protocol and no loss. */
  let ended = stream.readableEnded && stream.status !== 'reset' && stream.status !== 'aborted';
  let remoteClosed = ended || (stream.status === 'open' && stream.remoteWriteStatus === 'closed');
  let failure: Error | undefined;
  let wakeReader: (() => void) | undefined;
  const wakeWriters = new Set<() => void>();

  const wake = () => {
    wakeReader?.();
    for (const wakeWriter of wakeWriters) wakeWriter();
  };
  const lost = (cause: unknown) =>
    new Fault('unavailable', 'stream-lost', `the stream to ${peer} was lost`, { cause, fields: { peer } });

  stream.addEventListener('message', ({ data }) => {
    for (const bytes of data instanceof Uint8Array ? [data] : data) {
      queue.push(bytes);
      queued += bytes.length;
    }
    if (queued > PAUSE_ABOVE && !paused && stream.readStatus === 'readable') {
      paused = true;
      stream.pause();
    }
    wakeReader?.();
  });
  stream.addEventListener('remoteCloseWrite', () => {
    remoteClosed = true;
  });
  stream.addEventListener('end', () => {
    if (remoteClosed && stream.status !== 'aborted' && stream.status !== 'reset') ended = true;
    wakeReader?.();
  });
  stream.addEventListener('drain', () => {
    for (const wakeWriter of wakeWriters) wakeWriter();
  });
  stream.addEventListener('close', ({ error }) => {
    // A connection that goes ends its streams without an error; only the peer's own close makes it a clean end.
    if (error !== undefined || !remoteClosed) failure ??= lost(error);
    wake();
  });
  if (stream.status === 'reset' || stream.status === 'aborted') failure = lost(undefined);

  const resume = () => {
    if (!paused || queued > RESUME_BELOW) return;
    paused = false;
    if (stream.readStatus === 'paused') stream.resume();
  };

  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    for (;;) {
      const chunk = queue.shift();
      if (chunk !== undefined) {
        queued -= chunk.length;
        resume();
        return { value: chunk, done: false };
      }
      if (failure !== undefined) throw failure;
      resume();
      if (queue.length > 0) continue;
      if (ended) return { value: undefined, done: true };
      const { promise, resolve } = Promise.withResolvers<void>();
      wakeReader = resolve;
      await promise;
      wakeReader = undefined;
    }
  };

  return {
    peer,
    read: { [Symbol.asyncIterator]: () => ({ next }) },
    async write(...pieces) {
      if (failure !== undefined) throw failure;
      try {
        stream.send(pieces.length === 1 ? pieces[0]! : new Uint8ArrayList(...pieces));
      } catch (error) {
        throw failure ?? lost(error);
      }
      // Not `onDrain`: its promise, once resolved, is never made anew (seen in @libp2p/utils 7).
      while (stream.writableNeedsDrain && stream.writeStatus === 'writable') {
        const { promise, resolve } = Promise.withResolvers<void>();
        wakeWriters.add(resolve);
        await promise;
        wakeWriters.delete(resolve);
        if (failure !== undefined) throw failure;
      }
    },
    async closeWrite() {
      try {
        await stream.close();
      } catch (error) {
        throw failure ?? lost(error);
      }
    },
    abort(reason) {
      failure = reason;
      queue = [];
      queued = 0;
      stream.abort(reason);
      wake();
    },
  };
}
