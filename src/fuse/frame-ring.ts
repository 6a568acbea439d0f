import type { FuseChannel } from './channel.ts';
import { traceReply, traceRequest } from './trace.ts';
import { OUT_HEADER } from './wire/reply-layouts.ts';
import { IN_HEADER } from './wire/request-layouts.ts';

/** As many frames of both directions as somebody who looks for a mistake wants to see. */
const SLOTS = 256;
/** Enough of a frame to say what it is: a whole STATX reply, or a request with a long name. */
const KEPT = 384;
/** The frame's kind, and how much of it is kept, before it. */
const SLOT = 8 + KEPT;
const HEAD = 8;
/** Words of the head: frames so far; 1: they are kept. */
const COUNT = 0;
const ON = 1;
const REQUEST = 1;
const REPLY = 2;

/** Room for the last frames, shared between the threads that read and write the device and the one that looks. */
export function makeFrameRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD + SLOTS * SLOT);
}

/** From now on frames are kept, or not any more. */
export function keepFrames(memory: SharedArrayBuffer, on: boolean): void {
  Atomics.store(new Uint32Array(memory), ON, on ? 1 : 0);
}

/**
 * The same channel, with what goes through it kept in the ring while {@link keepFrames} says so: a copy of a few hundred
 * bytes a frame, no object. Else it costs a look at a word.
 * @param memory of {@link makeFrameRing}; several channels may share it
 */
export function recordFrames(channel: FuseChannel, memory: SharedArrayBuffer): FuseChannel {
  const words = new Uint32Array(memory);
  // Requests and replies each lie in one buffer for the life of a session: its words are copied, through one view.
  const sources: Uint32Array[] = [new Uint32Array(), new Uint32Array(), new Uint32Array()];
  function keep(kind: typeof REQUEST | typeof REPLY, given: Uint8Array, length: number): void {
    if (words[ON] === 0) return;
    const frame = given.byteOffset % 4 === 0 ? given : given.slice();
    if (sources[kind]!.buffer !== frame.buffer)
      sources[kind] = new Uint32Array(frame.buffer, 0, frame.buffer.byteLength >>> 2);
    const source = sources[kind]!;
    const from = frame.byteOffset >>> 2;
    const kept = Math.min(length, KEPT);
    const at = (HEAD + (Atomics.add(words, COUNT, 1) % SLOTS) * SLOT) >>> 2;
    words[at] = kind;
    words[at + 1] = kept;
    // Up to three bytes at a buffer's very end may be lost, and only there.
    for (let n = 0; n < kept; n += 4) words[at + 2 + (n >>> 2)] = source[from + (n >>> 2)]!;
  }
  return {
    read(into) {
      const length = channel.read(into);
      if (length > 0) keep(REQUEST, into, length);
      return length;
    },
    write(frame) {
      keep(REPLY, frame, frame.length);
      channel.write(frame);
    },
    writeParts(head, body) {
      keep(REPLY, head, head.length);
      channel.writeParts(head, body);
    },
  };
}

/** What is in the ring as text, oldest first: requests, and replies behind `->`. One that is being written may be torn. */
export function traceFrames(memory: SharedArrayBuffer): string[] {
  const bytes = new Uint8Array(memory).slice();
  const words = new Uint32Array(bytes.buffer);
  const end = words[COUNT]!;
  const opcodes = new Map<bigint, number>();
  const lines: string[] = [];
  for (let n = Math.max(0, end - SLOTS); n < end; n++) {
    const at = HEAD + (n % SLOTS) * SLOT;
    const frame = bytes.slice(at + 8, at + 8 + Math.min(words[(at >>> 2) + 1]!, KEPT));
    if (words[at >>> 2] === REQUEST) {
      lines.push(traceRequest(frame));
      if (frame.length < IN_HEADER.size) continue;
      const view = new DataView(frame.buffer);
      opcodes.set(view.getBigUint64(IN_HEADER.at.unique, true), view.getUint32(IN_HEADER.at.opcode, true));
    } else if (words[at >>> 2] === REPLY) {
      const unique =
        frame.length < OUT_HEADER.size
          ? 0n
          : new DataView(frame.buffer).getBigUint64(OUT_HEADER.at.unique, true);
      lines.push(`-> ${traceReply(frame, opcodes.get(unique))}`);
    }
  }
  return lines;
}
