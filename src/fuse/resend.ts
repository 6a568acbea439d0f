import type { FuseChannel } from './channel.ts';
import { OUT_HEADER } from './wire/reply-layouts.ts';

/** linux/fuse.h, 7.40. */
const FUSE_NOTIFY_RESEND = 7;

/**
 * Asks the kernel to send again every request that an earlier server read and did not answer. They come with bit 63 of
 * `unique` set, and are answered with it set.
 * @throws what write(2) fails with: EINVAL on a kernel before 6.9 (see `SessionTerms.resend`)
 */
export function notifyResend(channel: FuseChannel): void {
  const frame = new DataView(new ArrayBuffer(OUT_HEADER.size));
  frame.setUint32(OUT_HEADER.at.length, OUT_HEADER.size, true);
  frame.setInt32(OUT_HEADER.at.error, FUSE_NOTIFY_RESEND, true);
  channel.write(new Uint8Array(frame.buffer));
}
