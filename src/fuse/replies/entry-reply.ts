import type { EntryReply, NodeAttributes } from '../filesystem.ts';
import { putAbsent, putEntry } from '../wire/attributes.ts';
import { ENTRY_OUT } from '../wire/reply-layouts.ts';
import type { ReplyFrame } from './reply-frame.ts';

export function createEntryReply(frame: ReplyFrame): EntryReply {
  return {
    entry(node: number, attributes: NodeAttributes) {
      putEntry(frame.view, frame.from, node, attributes);
      frame.size = ENTRY_OUT.size;
    },
    absent() {
      putAbsent(frame.bytes, frame.view, frame.from);
      frame.size = ENTRY_OUT.size;
    },
  };
}
