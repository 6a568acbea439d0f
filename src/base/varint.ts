import { Fault } from './fault.ts';

/** Unsigned LEB128 up to 2^53 - 1, as multiformats writes it: 7 bits a byte, low bits first. */
export const MAX_VARINT_BYTES = 8;

export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes at `offset` and returns the offset behind it; the caller made room (see {@link varintLength}). */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest >= 128) {
    target[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

export interface Varint {
  readonly value: number;
  readonly next: number;
}

/**
 * Reads at `offset`; `undefined` when the bytes end inside the number (more input may come).
 * @throws Fault `invalid/bad-varint` past 2^53 - 1 or 8 bytes.
 */
export function readVarint(source: Uint8Array, offset: number): Varint | undefined {
  let value = 0;
  let scale = 1;
  for (let at = offset; at < source.length; at++) {
    const byte = source[at] as number;
    value += (byte & 127) * scale;
    if (value > Number.MAX_SAFE_INTEGER || at - offset >= MAX_VARINT_BYTES) {
      throw new Fault('invalid', 'bad-varint', `a varint at offset ${offset} is larger than 2^53 - 1`);
    }
    if (byte < 128) return { value, next: at + 1 };
    scale *= 128;
  }
  return undefined;
}
