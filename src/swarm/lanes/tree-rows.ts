import {
  MAX_CID_BYTES,
  MAX_GROUP_BLOCKS,
  MAX_GROUP_FRAME,
  MAX_NAME_BYTES,
  MAX_PATH_NAMES,
  MAX_TREE_HAVE,
} from './lane-limits.ts';
import { MAX_ID, MAX_LEVEL, MAX_TEXT, readPayload, row } from './message-row.ts';

/** Wants of trees and their answers. */
export const treeRows = [
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
];
