import type { FuseChannel } from './channel.ts';

export interface MemoryChannel extends FuseChannel {
  /** Queues one request; it is copied. */
  feed(frame: Uint8Array): void;
  /** Takes the replies and notifications written so far, oldest first. */
  take(): Uint8Array[];
}

/** A device for tests: what was fed is read in order, then the connection ends. */
export function createMemoryChannel(): MemoryChannel {
  const requests: Uint8Array[] = [];
  let written: Uint8Array[] = [];
  return {
    feed: (frame) => void requests.push(frame.slice()),
    take: () => {
      const taken = written;
      written = [];
      return taken;
    },
    read: (into) => {
      const frame = requests.shift();
      if (frame === undefined) return -1;
      into.set(frame);
      return frame.length;
    },
    write: (frame) => void written.push(frame.slice()),
    writeParts: (head, body) => {
      const frame = new Uint8Array(head.length + body.length);
      frame.set(head);
      frame.set(body, head.length);
      written.push(frame);
    },
  };
}
