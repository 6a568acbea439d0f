import type {
  AttributesReply,
  BytesReply,
  EntryReply,
  OpenReply,
  SeekReply,
  StatisticsReply,
} from '../filesystem.ts';
import { createAttributesReply, createStatxReply } from './attributes-reply.ts';
import { createBytesReply } from './bytes-reply.ts';
import { DirectoryPacker } from './directory-reply.ts';
import { createEntryReply } from './entry-reply.ts';
import { createOpenReply } from './open-reply.ts';
import { ReplyFrame } from './reply-frame.ts';
import { createSeekReply } from './seek-reply.ts';
import { createStatisticsReply } from './statistics-reply.ts';

/** One reply of each kind, all on one frame: made once, used for every request. */
export interface Replies {
  readonly frame: ReplyFrame;
  readonly entry: EntryReply;
  readonly attributes: AttributesReply;
  readonly statx: AttributesReply;
  readonly open: OpenReply & { directory(): void };
  readonly bytes: BytesReply;
  readonly directory: DirectoryPacker;
  readonly statistics: StatisticsReply;
  readonly seek: SeekReply;
}

export function createReplies(): Replies {
  const frame = new ReplyFrame();
  return {
    frame,
    entry: createEntryReply(frame),
    attributes: createAttributesReply(frame),
    statx: createStatxReply(frame),
    open: createOpenReply(frame),
    bytes: createBytesReply(frame),
    directory: new DirectoryPacker(frame),
    statistics: createStatisticsReply(frame),
    seek: createSeekReply(frame),
  };
}
