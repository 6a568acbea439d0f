import { createDeferredReplies } from '../../fuse/deferred-replies.ts';
import { createDeviceChannel } from '../../fuse/device-channel.ts';
import type { DeferredReplies } from '../../fuse/filesystem.ts';
import { recordFrames } from '../../fuse/frame-ring.ts';
import { openUnansweredFile } from './unanswered-file.ts';

export interface KernelRepliesSettings {
  /** The number of the open /dev/fuse. */
  readonly device: number;
  /** See `FuseDebug.frames`. */
  readonly frames: SharedArrayBuffer;
  /** `<root>/run/unanswered`, and its memory. */
  readonly unanswered: string;
  readonly unansweredMemory: SharedArrayBuffer;
  /** Whether the kernel sends again what is left unanswered: INIT tells, so it is asked with each answer. */
  readonly isResent: () => boolean;
}

/** Answers of the main thread, by way of the file where the kernel does not send again. */
export function createKernelReplies({
  device,
  frames,
  unanswered,
  unansweredMemory,
  isResent,
}: KernelRepliesSettings): DeferredReplies {
  const replies = createDeferredReplies(recordFrames(createDeviceChannel(device), frames));
  let watched: DeferredReplies | undefined;
  const by = (): DeferredReplies => {
    if (isResent()) return replies;
    watched ??= openUnansweredFile(unanswered, unansweredMemory).watch(replies);
    return watched;
  };
  return {
    error: (request, errno) => by().error(request, errno),
    bytes: (request, bytes) => by().bytes(request, bytes),
    opened: (request, handle) => by().opened(request, handle),
  };
}
