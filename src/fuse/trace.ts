import { errnoName } from '../syscalls/errno.ts';
import { readStruct } from './wire/layout.ts';
import { operationOf } from './wire/operations.ts';
import { REPLY_BODIES } from './wire/reply-frame.ts';
import { OUT_HEADER } from './wire/reply-layouts.ts';
import { decodeRequest } from './wire/request-frame.ts';
import { IN_HEADER } from './wire/request-layouts.ts';

/**
 * One request, as it came from the device, as a line of text:
 * `LOOKUP unique=6 node=1 uid=0 gid=0 pid=612 "etc"`. Names are shown as JSON of latin1, so every byte can be seen.
 * Never throws: a frame that is cut short or unknown is said to be so.
 * @param frame its beginning is enough, as long as body and names are in it
 */
export function traceRequest(frame: Uint8Array): string {
  if (frame.length < IN_HEADER.size) return `${frame.length} bytes: no header`;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const header = readStruct(IN_HEADER, view);
  const name = operationOf(Number(header['opcode']))?.name ?? `OPCODE-${header['opcode']}`;
  const unique = uniqueText(BigInt(header['unique']!));
  const who = `uid=${header['uid']} gid=${header['gid']} pid=${header['pid']}`;
  return [name, unique, `node=${header['node']}`, who, ...bodyOf(frame, Number(header['length']))].join(' ');
}

function bodyOf(frame: Uint8Array, length: number): string[] {
  try {
    const { body, names, rest } = decodeRequest(frame);
    const more = length - (frame.length - rest.length);
    return [
      ...fieldsOf(body),
      ...names.map((name) => JSON.stringify(Buffer.from(name).toString('latin1'))),
      ...(more <= 0 ? [] : [`+${more} bytes`]),
    ];
  } catch (error) {
    if (error instanceof RangeError) return ['cut short'];
    throw error;
  }
}

/**
 * One reply as a line of text. A reply does not say to what it answers.
 * @param frame its beginning is enough
 * @param opcode of its request; without it the body is only counted
 */
export function traceReply(frame: Uint8Array, opcode?: number): string {
  if (frame.length < OUT_HEADER.size) return `${frame.length} bytes: no header`;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const header = readStruct(OUT_HEADER, view);
  const error = Number(header['error']);
  if (BigInt(header['unique']!) === 0n) return `notification ${error}`;
  const unique = uniqueText(BigInt(header['unique']!));
  if (error !== 0) return `${unique} ${errnoName(-error)}`;
  const body = Number(header['length']) - OUT_HEADER.size;
  const row = opcode === undefined ? undefined : operationOf(opcode);
  const struct = row === undefined ? undefined : REPLY_BODIES[row.answer];
  if (struct === undefined || frame.length < OUT_HEADER.size + struct.size)
    return `${unique} ok +${body} bytes`;
  return [unique, 'ok', ...fieldsOf(readStruct(struct, view, OUT_HEADER.size))].join(' ');
}

/** Bit 63: the kernel sent it again. */
const RESENT = 1n << 63n;

function uniqueText(unique: bigint): string {
  return (unique & RESENT) === 0n ? `unique=${unique}` : `unique=${unique & ~RESENT} resent`;
}

function fieldsOf(values: Readonly<Record<string, number | bigint>>): string[] {
  return Object.entries(values)
    .filter(([name]) => !FILLERS.test(name))
    .map(([name, value]) => `${name}=${value}`);
}

const FILLERS = /^(padding|spare|unused|reserved)\d*$/;
