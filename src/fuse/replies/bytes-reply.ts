import type { BytesReply } from '../filesystem.ts';
import { BODY_ROOM, type ReplyFrame } from './reply-frame.ts';

/** @throws RangeError from its methods where more is put than a reply can hold: the request gets EIO */
export function createBytesReply(frame: ReplyFrame): BytesReply {
  return {
    bytes(bytes) {
      frame.bytes.set(bytes, frame.from);
      frame.size = bytes.length;
    },
    space(size) {
      if (size > BODY_ROOM) throw new RangeError(`a reply has no room for ${size} bytes`);
      return frame.bytes.subarray(frame.from, frame.from + size);
    },
    filled(length) {
      if (length < 0 || length > BODY_ROOM) throw new RangeError(`a reply of ${length} bytes`);
      frame.size = length;
    },
  };
}
