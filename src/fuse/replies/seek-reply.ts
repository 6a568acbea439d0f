import type { SeekReply } from '../filesystem.ts';
import { putInteger } from '../wire/integers.ts';
import { LSEEK_OUT } from '../wire/reply-layouts.ts';
import type { ReplyFrame } from './reply-frame.ts';

export function createSeekReply(frame: ReplyFrame): SeekReply {
  return {
    offset(offset) {
      putInteger(frame.view, frame.from + LSEEK_OUT.at.offset, offset);
      frame.size = LSEEK_OUT.size;
    },
  };
}
