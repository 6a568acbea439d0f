import type { StatisticsReply } from '../filesystem.ts';
import { putInteger } from '../wire/integers.ts';
import { STATFS_OUT } from '../wire/reply-layouts.ts';
import type { ReplyFrame } from './reply-frame.ts';

const STATFS = STATFS_OUT.at;
const BLOCK_SIZE = 4096;
const NAME_LENGTH = 255;

/** Nothing is free: the filesystem is read-only. */
export function createStatisticsReply(frame: ReplyFrame): StatisticsReply {
  return {
    statistics(blocks, files) {
      const at = frame.from;
      frame.bytes.fill(0, at, at + STATFS_OUT.size);
      putInteger(frame.view, at + STATFS.blocks, blocks);
      putInteger(frame.view, at + STATFS.files, files);
      frame.view.setUint32(at + STATFS.blockSize, BLOCK_SIZE, true);
      frame.view.setUint32(at + STATFS.fragmentSize, BLOCK_SIZE, true);
      frame.view.setUint32(at + STATFS.nameLength, NAME_LENGTH, true);
      frame.size = STATFS_OUT.size;
    },
  };
}
