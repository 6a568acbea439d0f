import { readSync, writeSync, writevSync } from 'node:fs';
import type { FuseChannel } from './channel.ts';

/**
 * An open /dev/fuse. Reading blocks the thread; writing is safe from any thread, one write(2) a frame.
 * @param fd of the device, opened for reading and writing and given to mount(2); stays the caller's to close
 */
export function createDeviceChannel(fd: number): FuseChannel {
  return {
    read(into) {
      try {
        return readSync(fd, into, 0, into.length, null);
      } catch (thrown) {
        const end = READ_ENDS[codeOf(thrown)];
        if (end === undefined) throw thrown;
        return end;
      }
    },
    write(frame) {
      try {
        writeSync(fd, frame);
      } catch (thrown) {
        if (codeOf(thrown) !== 'ENOENT') throw thrown;
      }
    },
    writeParts(head, body) {
      try {
        writevSync(fd, [head, body]);
      } catch (thrown) {
        if (codeOf(thrown) !== 'ENOENT') throw thrown;
      }
    },
  };
}

/** What read(2) of /dev/fuse may fail with in good order: an interrupted or withdrawn request, the connection's end. */
const READ_ENDS: Readonly<Record<string, number>> = {
  EINTR: 0,
  EAGAIN: 0,
  ENOENT: 0,
  ENODEV: -1,
  ECONNABORTED: -1,
};

function codeOf(thrown: unknown): string {
  return (thrown as NodeJS.ErrnoException).code ?? '';
}
