import { violation } from './fields.ts';
import { MAX_CID_BYTES, MAX_DELTA_RUNS, MAX_PLAN_BLOCKS } from './lane-limits.ts';
import { type MessageRow, row } from './message-row.ts';

const following = (type: 'follow' | 'unfollow', code: number) =>
  row({
    code,
    type,
    from: 'wanter',
    maxBytes: 1 + 1 + MAX_CID_BYTES,
    write: (message, to) => to.counted(message.root),
    read: (from) => ({ type, root: from.counted('root', MAX_CID_BYTES) }),
  } as MessageRow<'follow' | 'unfollow'>);

/** Who has what of a root: asked for once, told until it is not followed any more. */
export const holdingsRows = [
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
];
