import { type FieldReader, type FieldWriter, violation } from './fields.ts';
import { MAX_GROUP_BLOCKS, MAX_GROUP_FRAME, MAX_OPEN_WANTS, MAX_WANT_BLOCKS } from './lane-limits.ts';
import { MAX_ID, MAX_LEVEL, readPayload, row } from './message-row.ts';
import { WANT_CLASSES } from './messages.ts';

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

/** Wants of blocks and their answers. */
export const blockRows = [
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
];
