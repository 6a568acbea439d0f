import { type FieldReader, FieldWriter, violation } from './fields.ts';
import {
  MAX_BLOCK_BYTES,
  MAX_CID_BYTES,
  MAX_DELTA_RUNS,
  MAX_GROUP_BLOCKS,
  MAX_GROUP_BYTES,
  MAX_GROUP_FRAME,
  MAX_NAME_BYTES,
  MAX_OPEN_WANTS,
  MAX_PATH_NAMES,
  MAX_PLAN_BLOCKS,
  MAX_TREE_HAVE,
  MAX_WANT_BLOCKS,
} from './lane-limits.ts';
import { type Message, type MessageOf, type MessageType, WANT_CLASSES } from './messages.ts';

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

const MAX_ID = 2 ** 48;
const MAX_LEVEL = 19;
const MAX_TEXT = 1024;

const row = <T extends MessageType>(spec: MessageRow<T>): MessageRow<T> => spec;

function readIds(from: FieldReader, max: number): number[] {
  const count = from.varint('count of ids', max);
  if (count > from.left) throw violation(`${count} ids in ${from.left} bytes`);
  const ids = new Array<number>(count);
  for (let i = 0; i < count; i++) ids[i] = from.varint('id', MAX_ID);
  return ids;
}

function writeIds(ids: readonly number[], to: FieldWriter): void {
  to.varint(ids.length);
  for (const id of ids) to.varint(id);
}

function readClass(from: FieldReader) {
  return WANT_CLASSES[from.varint('class', WANT_CLASSES.length - 1)]!;
}

/** Lengths and payload of a group agree, and none is larger than a block may be. */
function readPayload(from: FieldReader, lengths: number[], count: number, flags: number): Uint8Array {
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

const pinging = (type: 'ping' | 'pong', code: number) =>
  row({
    code,
    type,
    from: 'both',
    maxBytes: 16,
    write: (message, to) => to.varint(message.nonce),
    read: (from) => ({ type, nonce: from.varint('nonce', MAX_ID) }),
  } as MessageRow<'ping' | 'pong'>);

const following = (type: 'follow' | 'unfollow', code: number) =>
  row({
    code,
    type,
    from: 'wanter',
    maxBytes: 1 + 1 + MAX_CID_BYTES,
    write: (message, to) => to.counted(message.root),
    read: (from) => ({ type, root: from.counted('root', MAX_CID_BYTES) }),
  } as MessageRow<'follow' | 'unfollow'>);

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
  row({
    code: 4,
    type: 'want',
    from: 'wanter',
    maxBytes: 32 + MAX_WANT_BLOCKS * 33,
    write: (message, to) =>
      to
        .varint(message.firstId)
        .varint(WANT_CLASSES.indexOf(message.wantClass))
        .varint(message.level)
        .varint(message.codecs.length)
        .bytes(message.codecs)
        .bytes(message.digests),
    read(from) {
      const firstId = from.varint('first id', MAX_ID);
      const wantClass = readClass(from);
      const level = from.varint('level', MAX_LEVEL);
      const count = from.varint('count of blocks', MAX_WANT_BLOCKS);
      const codecs = from.bytes('codecs', count);
      for (const codec of codecs) {
        if (codec !== 0x55 && codec !== 0x70) throw violation(`codec ${codec} is neither raw nor dag-pb`);
      }
      return { type: 'want', firstId, wantClass, level, codecs, digests: from.bytes('digests', count * 32) };
    },
  }),
  row({
    code: 5,
    type: 'cancel',
    from: 'wanter',
    maxBytes: 16 + MAX_OPEN_WANTS * 8,
    write: (message, to) => writeIds(message.ids, to),
    read: (from) => ({ type: 'cancel', ids: readIds(from, MAX_OPEN_WANTS) }),
  }),
  row({
    code: 6,
    type: 'reclass',
    from: 'wanter',
    maxBytes: 16 + MAX_OPEN_WANTS * 8,
    write(message, to) {
      to.varint(WANT_CLASSES.indexOf(message.wantClass));
      writeIds(message.ids, to);
    },
    read: (from) => ({ type: 'reclass', wantClass: readClass(from), ids: readIds(from, MAX_OPEN_WANTS) }),
  }),
  row({
    code: 7,
    type: 'blocks',
    from: 'server',
    maxBytes: MAX_GROUP_FRAME,
    write(message, to) {
      to.varint(message.zstd ? 1 : 0);
      writeIds(message.ids, to);
      for (const length of message.lengths) to.varint(length);
    },
    read(from) {
      const flags = from.varint('flags', 1);
      const ids = readIds(from, MAX_GROUP_BLOCKS);
      const lengths: number[] = [];
      const payload = readPayload(from, lengths, ids.length, flags);
      return { type: 'blocks', ids, lengths, zstd: flags === 1, payload };
    },
  }),
  row({
    code: 8,
    type: 'missing',
    from: 'server',
    maxBytes: 16 + MAX_OPEN_WANTS * 8,
    write: (message, to) => writeIds(message.ids, to),
    read: (from) => ({ type: 'missing', ids: readIds(from, MAX_OPEN_WANTS) }),
  }),
  row({
    code: 9,
    type: 'tree',
    from: 'wanter',
    maxBytes: 1024 + MAX_PATH_NAMES * 256 + MAX_NAME_BYTES + MAX_TREE_HAVE * (MAX_CID_BYTES + 1),
    write(message, to) {
      to.varint(message.id).counted(message.root).varint(message.path.length);
      for (const name of message.path) to.text(name);
      to.text(message.platform).varint(message.level).varint(message.have.length);
      for (const cid of message.have) to.counted(cid);
    },
    read(from) {
      const id = from.varint('id', MAX_ID);
      const root = from.counted('root', MAX_CID_BYTES);
      const names = from.varint('count of names', MAX_PATH_NAMES);
      const path = Array.from({ length: names }, () => from.text('name', MAX_NAME_BYTES));
      const platform = from.text('platform', 256);
      const level = from.varint('level', MAX_LEVEL);
      const count = from.varint('count of layer roots', MAX_TREE_HAVE);
      const have = Array.from({ length: count }, () => from.counted('layer root', MAX_CID_BYTES));
      return { type: 'tree', id, root, path, platform, level, have };
    },
  }),
  row({
    code: 10,
    type: 'tree-blocks',
    from: 'server',
    maxBytes: MAX_GROUP_FRAME,
    write(message, to) {
      to.varint(message.id)
        .varint(message.zstd ? 1 : 0)
        .varint(message.cids.length);
      for (const cid of message.cids) to.counted(cid);
      for (const length of message.lengths) to.varint(length);
    },
    read(from) {
      const id = from.varint('id', MAX_ID);
      const flags = from.varint('flags', 1);
      const count = from.varint('count of blocks', MAX_GROUP_BLOCKS);
      const cids: Uint8Array[] = [];
      for (let i = 0; i < count; i++) cids.push(from.counted('CID', MAX_CID_BYTES));
      const lengths: number[] = [];
      const payload = readPayload(from, lengths, count, flags);
      return { type: 'tree-blocks', id, cids, lengths, zstd: flags === 1, payload };
    },
  }),
  row({
    code: 11,
    type: 'tree-end',
    from: 'server',
    maxBytes: 16,
    write: (message, to) => to.varint(message.id),
    read: (from) => ({ type: 'tree-end', id: from.varint('id', MAX_ID) }),
  }),
  row({
    code: 12,
    type: 'tree-missing',
    from: 'server',
    maxBytes: 2 * MAX_TEXT + 128,
    write: (message, to) =>
      to.varint(message.id).counted(message.cid).text(message.code).text(message.text.slice(0, 200)),
    read: (from) => ({
      type: 'tree-missing',
      id: from.varint('id', MAX_ID),
      cid: from.counted('CID', MAX_CID_BYTES),
      code: from.text('code', 64),
      text: from.text('text', MAX_TEXT),
    }),
  }),
  row({
    code: 13,
    type: 'tree-cancel',
    from: 'wanter',
    maxBytes: 16,
    write: (message, to) => to.varint(message.id),
    read: (from) => ({ type: 'tree-cancel', id: from.varint('id', MAX_ID) }),
  }),
  following('follow', 14),
  following('unfollow', 15),
  row({
    code: 16,
    type: 'have',
    from: 'server',
    maxBytes: 128 + MAX_PLAN_BLOCKS / 8,
    write(message, to) {
      to.counted(message.root);
      if (message.holding === 'none') to.varint(0);
      else if (message.holding === 'all') to.varint(1);
      else to.varint(2).bytes(message.holding);
    },
    read(from) {
      const root = from.counted('root', MAX_CID_BYTES);
      const form = from.varint('form', 2);
      const holding = form === 0 ? 'none' : form === 1 ? 'all' : from.rest();
      return { type: 'have', root, holding };
    },
  }),
  row({
    code: 17,
    type: 'have-delta',
    from: 'server',
    maxBytes: 128 + MAX_DELTA_RUNS * 8,
    write(message, to) {
      to.counted(message.root).varint(message.runs.length / 2);
      let at = 0;
      for (let i = 0; i < message.runs.length; i += 2) {
        to.varint(message.runs[i]! - at).varint(message.runs[i + 1]!);
        at = message.runs[i]! + message.runs[i + 1]!;
      }
    },
    read(from) {
      const root = from.counted('root', MAX_CID_BYTES);
      const count = from.varint('count of runs', MAX_DELTA_RUNS);
      const runs: number[] = [];
      let at = 0;
      for (let i = 0; i < count; i++) {
        const start = at + from.varint('gap', MAX_PLAN_BLOCKS);
        const length = from.varint('run', MAX_PLAN_BLOCKS);
        at = start + length;
        if (at > MAX_PLAN_BLOCKS) throw violation(`a run ends at plan index ${at}`);
        runs.push(start, length);
      }
      return { type: 'have-delta', root, runs };
    },
  }),
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
