import type { OpenReply } from '../filesystem.ts';
import { putInteger } from '../wire/integers.ts';
import { FOPEN_CACHE_DIR, FOPEN_KEEP_CACHE, FOPEN_PASSTHROUGH } from '../wire/open-flags.ts';
import { OPEN_OUT } from '../wire/reply-layouts.ts';
import type { ReplyFrame } from './reply-frame.ts';

export function createOpenReply(frame: ReplyFrame): OpenReply & { directory(): void } {
  const put = (handle: number, flags: number, backingId: number) => {
    putInteger(frame.view, frame.from + OPEN_OUT.at.handle, handle);
    frame.view.setUint32(frame.from + OPEN_OUT.at.openFlags, flags, true);
    frame.view.setInt32(frame.from + OPEN_OUT.at.backingId, backingId, true);
    frame.size = OPEN_OUT.size;
  };
  return {
    handle: (handle) => put(handle, FOPEN_KEEP_CACHE, 0),
    // KEEP_CACHE with it is EIO (FOPEN_PASSTHROUGH_MASK, fs/fuse/iomode.c): the cache is the backing file's
    passthrough: (handle, backingId) => put(handle, FOPEN_PASSTHROUGH, backingId),
    directory: () => put(0, FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR, 0),
  };
}
