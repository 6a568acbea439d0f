import { blockRows } from './block-rows.ts';
import { FieldWriter, violation } from './fields.ts';
import { holdingsRows } from './holdings-rows.ts';
import { MAX_ID, MAX_TEXT, type MessageRow, row } from './message-row.ts';
import type { Message, MessageType } from './messages.ts';
import { treeRows } from './tree-rows.ts';

export type { MessageRow } from './message-row.ts';

const pinging = (type: 'ping' | 'pong', code: number) =>
  row({
    code,
    type,
    from: 'both',
    maxBytes: 16,
    write: (message, to) => to.varint(message.nonce),
    read: (from) => ({ type, nonce: from.varint('nonce', MAX_ID) }),
  } as MessageRow<'ping' | 'pong'>);

/** `/shp/blocks/1`: the parser, the dispatcher, a dump and the tests read these rows. */
export const MESSAGE_ROWS: readonly MessageRow[] = [
  row({
    code: 0,
    type: 'hello',
    from: 'both',
    // Room for what a later version adds: what follows the known fields is ignored.
    maxBytes: 256,
    write: (message, to) => to.varint(message.version).varint(message.features),
    read(from) {
      const message = {
        type: 'hello' as const,
        version: from.varint('version', 1000),
        features: from.varint('features'),
      };
      from.rest();
      return message;
    },
  }),
  pinging('ping', 1),
  pinging('pong', 2),
  row({
    code: 3,
    type: 'credit',
    from: 'wanter',
    maxBytes: 16,
    write: (message, to) => to.varint(message.limit),
    read: (from) => ({ type: 'credit', limit: from.varint('limit') }),
  }),
  ...blockRows,
  ...treeRows,
  ...holdingsRows,
  row({
    code: 18,
    type: 'error',
    from: 'both',
    maxBytes: 2 * MAX_TEXT,
    write: (message, to) => to.text(message.code).text(message.text.slice(0, 200)),
    read: (from) => ({ type: 'error', code: from.text('code', 64), text: from.text('text', MAX_TEXT) }),
  }),
] as unknown as MessageRow[];

const BY_TYPE = new Map(MESSAGE_ROWS.map((entry) => [entry.type, entry]));

export function rowOf(type: MessageType): MessageRow {
  return BY_TYPE.get(type)!;
}

/** @throws Fault `invalid/lane-violation` for a code that is not in the table */
export function rowOfCode(code: number): MessageRow {
  const found = MESSAGE_ROWS[code];
  if (found === undefined) throw violation(`no message has the code ${code}`);
  return found;
}

/**
 * The frame of a message without its payload, which the caller sends right behind it, uncopied.
 * Answers whole frames for messages that have none.
 * @param more bytes of a payload that is not in the message
 */
export function encodeMessage(message: Message, more = 0): Buffer {
  const to = new FieldWriter();
  const spec = rowOf(message.type);
  to.varint(spec.code);
  spec.write(message, to);
  return to.frame(('payload' in message ? message.payload.length : 0) + more);
}
