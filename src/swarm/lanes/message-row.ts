import { type FieldReader, type FieldWriter, violation } from './fields.ts';
import { MAX_BLOCK_BYTES, MAX_GROUP_BYTES } from './lane-limits.ts';
import type { MessageOf, MessageType } from './messages.ts';

/** All facts of one message. The bytes: a varint of what follows, one byte `code`, the fields that `write` names. */
export interface MessageRow<T extends MessageType = MessageType> {
  readonly code: number;
  readonly type: T;
  /** Who may send it: the side that opened the lane and wants, the one that accepted and serves, or both. */
  readonly from: 'wanter' | 'server' | 'both';
  /** Bytes of the frame behind its length; a longer one is refused before it is allocated. */
  readonly maxBytes: number;
  /** The fields but a payload, which stands last and is sent behind them. */
  write(message: MessageOf<T>, to: FieldWriter): void;
  read(from: FieldReader): MessageOf<T>;
}

/** Ids of wants and trees count up from 1. */
export const MAX_ID = 2 ** 48;
export const MAX_LEVEL = 19;
export const MAX_TEXT = 1024;

/** Lets the compiler hold a row's codec against its message. */
export const row = <T extends MessageType>(spec: MessageRow<T>): MessageRow<T> => spec;

/** Lengths and payload of a group agree, and none is larger than a block may be. */
export function readPayload(from: FieldReader, lengths: number[], count: number, flags: number): Uint8Array {
  let plain = 0;
  for (let i = 0; i < count; i++) {
    lengths[i] = from.varint('block length', MAX_BLOCK_BYTES);
    plain += lengths[i]!;
  }
  if (plain > MAX_GROUP_BYTES) throw violation(`a group of ${plain} bytes`);
  const payload = from.rest();
  if (flags === 0 && payload.length !== plain) {
    throw violation(`a group of ${plain} bytes came with ${payload.length}`);
  }
  return payload;
}
