import type { FuseChannel } from './channel.ts';
import type { DeferredReplies } from './filesystem.ts';
import { FOPEN_KEEP_CACHE } from './wire/open-flags.ts';
import { OPEN_OUT, OUT_HEADER } from './wire/reply-layouts.ts';

/**
 * Answers requests whose filesystem method said PENDING. A request that is gone by then is no error. `errno` is
 * positive; `bytes` must not be more than was asked for: the kernel makes that EIO.
 * @throws what write(2) fails with else
 */
export function createDeferredReplies(channel: FuseChannel): DeferredReplies {
  return {
    error: (request, errno) => channel.write(new Uint8Array(head(request, 0, -errno).buffer)),
    bytes: (request, bytes) => {
      if (bytes.length === 0) channel.write(new Uint8Array(head(request, 0, 0).buffer));
      else channel.writeParts(new Uint8Array(head(request, bytes.length, 0).buffer), bytes);
    },
    opened: (request, handle) => {
      const frame = head(request, OPEN_OUT.size, 0, OPEN_OUT.size);
      const at = OUT_HEADER.size;
      frame.setBigUint64(at + OPEN_OUT.at.handle, BigInt(handle), true);
      frame.setUint32(at + OPEN_OUT.at.openFlags, FOPEN_KEEP_CACHE, true);
      channel.write(new Uint8Array(frame.buffer));
    },
  };
}

function head(
  request: { readonly high: number; readonly low: number },
  body: number,
  error: number,
  room = 0,
): DataView<ArrayBuffer> {
  const frame = new DataView(new ArrayBuffer(OUT_HEADER.size + room));
  frame.setUint32(OUT_HEADER.at.length, OUT_HEADER.size + body, true);
  frame.setInt32(OUT_HEADER.at.error, error, true);
  frame.setUint32(OUT_HEADER.at.unique, request.low, true);
  frame.setUint32(OUT_HEADER.at.unique + 4, request.high, true);
  return frame;
}
