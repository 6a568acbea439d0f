import { Fault } from '../../base/fault.ts';
import { readVarint, varintLength, writeVarint } from '../../base/varint.ts';
import type { ByteStream } from './peer-streams.ts';

/** One message on the wire: its length as a varint, then its bytes. */
export async function writeMessage(stream: ByteStream, message: Uint8Array): Promise<void> {
  const prefix = Buffer.alloc(varintLength(message.length));
  writeVarint(prefix, 0, message.length);
  await stream.write(prefix);
  await stream.write(message);
}

/**
 * Reads the one message that the peer sends before it closes its direction.
 * @param maxBytes a longer one is refused before anything is kept of it
 * @throws Fault `corrupt/bad-message` (fields: peer), `unavailable/stream-lost`
 */
export async function readMessage(stream: ByteStream, maxBytes: number): Promise<Buffer> {
  const bad = (why: string) =>
    new Fault('corrupt', 'bad-message', `${stream.peer} sent a bad message: ${why}`, {
      fields: { peer: stream.peer },
    });
  const chunks: Uint8Array[] = [];
  let received = 0;
  let expected: number | undefined;
  for await (const chunk of stream.read) {
    chunks.push(chunk);
    received += chunk.length;
    if (expected === undefined) {
      const head = Buffer.concat(chunks);
      const length = readVarint(head, 0);
      if (length === undefined) continue;
      if (length.value > maxBytes) throw bad(`it is longer than ${maxBytes} bytes`);
      expected = length.next + length.value;
    }
    if (received > expected) throw bad('more bytes follow it');
  }
  if (expected === undefined || received < expected) throw bad('it ends early');
  const whole = Buffer.concat(chunks);
  return whole.subarray(readVarint(whole, 0)?.next);
}

/**
 * Sends a question and awaits the answer, on a stream of its own.
 * @throws Fault of {@link readMessage} and of `openStream`, `cancelled`
 */
export async function askPeer(
  open: () => Promise<ByteStream>,
  question: Uint8Array,
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Buffer> {
  const stream = await open();
  const end = () => stream.abort(new Fault('cancelled', 'cancelled', 'cancelled'));
  options.signal.addEventListener('abort', end, { once: true });
  try {
    if (options.signal.aborted) end();
    await writeMessage(stream, question);
    await stream.closeWrite();
    return await readMessage(stream, options.maxBytes);
  } catch (error) {
    stream.abort(error as Error);
    throw error;
  } finally {
    options.signal.removeEventListener('abort', end);
  }
}

/** Answers the one question of an inbound stream. @throws Fault of {@link readMessage} and of `answer` */
export async function answerPeer(
  stream: ByteStream,
  maxBytes: number,
  timeoutMs: number,
  answer: (question: Buffer) => Uint8Array | Promise<Uint8Array>,
): Promise<void> {
  const timer = setTimeout(
    () => stream.abort(new Fault('unavailable', 'peer-too-slow', `${stream.peer} is too slow`)),
    timeoutMs,
  );
  try {
    await writeMessage(stream, await answer(await readMessage(stream, maxBytes)));
    await stream.closeWrite();
  } catch (error) {
    stream.abort(error as Error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
