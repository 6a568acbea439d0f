import type { AttributesReply } from '../filesystem.ts';
import { putGetattr, putStatx } from '../wire/attributes.ts';
import { GETATTR_OUT, STATX_OUT } from '../wire/reply-layouts.ts';
import type { ReplyFrame } from './reply-frame.ts';

/** To GETATTR. */
export function createAttributesReply(frame: ReplyFrame): AttributesReply {
  return {
    attributes(attributes) {
      putGetattr(frame.view, frame.from, attributes);
      frame.size = GETATTR_OUT.size;
    },
  };
}

/** To STATX, which the kernel asks for where a birth time is wanted; we have none. */
export function createStatxReply(frame: ReplyFrame): AttributesReply {
  return {
    attributes(attributes) {
      putStatx(frame.bytes, frame.view, frame.from, attributes);
      frame.size = STATX_OUT.size;
    },
  };
}
