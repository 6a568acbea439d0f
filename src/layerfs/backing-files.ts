import { closeSync, openSync } from 'node:fs';
import { Fault, toFault } from '../base/fault.ts';
import type { Logger } from '../observe/logger.ts';
import type { StoreLayout } from '../store/store-layout.ts';
import { type ErrnoName, errnoOf } from '../syscalls/errno.ts';
import type { Syscalls } from '../syscalls/syscalls.ts';

/** Passthrough ids of complete objects. */
export interface BackingFiles {
  /** @returns 0 where the object is not in `cas/`, or passthrough is not to be had */
  open(cid: string): number;
  /** Files that use the id keep it. */
  close(id: number): void;
  /** Whether to ask at all. */
  readonly on: boolean;
  /** What INIT agreed on; a filesystem on which it failed once stays off. */
  allow(on: boolean, why?: string): void;
  /** For ever. */
  turnOff(why: string): void;
}

export interface BackingFilesComponents {
  readonly layout: StoreLayout;
  readonly fuseDevice: number;
  readonly syscalls: Pick<Syscalls, 'backingOpen' | 'backingClose'>;
  readonly logger: Logger;
  readonly onOff: (why: string) => void;
}

/** What may be better at the next open; anything else is how this host is. */
const PASSING: ReadonlySet<string> = new Set<ErrnoName>([
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSPC',
  'EAGAIN',
  'EINTR',
]);

/** In plain words, with what to do about it (mounts.md of the kernel: fuse-passthrough.rst). */
const REASONS: Readonly<Partial<Record<ErrnoName, string>>> = {
  ELOOP: 'the store lies on an overlay or another stacked filesystem: give it a folder of a real one',
  EPERM: 'the mount server lacks CAP_SYS_ADMIN',
  EOPNOTSUPP: 'the kernel has no FUSE passthrough (6.9 and later have it)',
  ENOTTY: 'the kernel has no FUSE passthrough (6.9 and later have it)',
};

export function createBackingFiles(components: BackingFilesComponents): BackingFiles {
  const { layout, fuseDevice, syscalls, logger, onOff } = components;
  let allowed = false;
  let failed: string | undefined;

  const turnOff = (why: string): void => {
    if (failed !== undefined) return;
    failed = why;
    logger.warn({ why }, `files are read through the mount server, not by the kernel itself: ${why}`);
    onOff(why);
  };

  const failedWith = (thrown: unknown): number => {
    const fault = toFault(thrown);
    const errno = String(fault.fields['errno'] ?? (thrown as NodeJS.ErrnoException).code ?? '');
    if (PASSING.has(errno)) {
      logger.warn({ errno }, `a file is read through the mount server: ${fault.message}`);
    } else {
      turnOff(errnoOf(errno) === undefined ? fault.message : (REASONS[errno as ErrnoName] ?? fault.message));
    }
    return 0;
  };

  return {
    open(cid) {
      let file: number;
      try {
        file = openSync(layout.object(cid), 'r');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
        return failedWith(error);
      }
      try {
        return syscalls.backingOpen(fuseDevice, file);
      } catch (error) {
        return failedWith(error);
      } finally {
        closeSync(file);
      }
    },
    close(id) {
      try {
        syscalls.backingClose(fuseDevice, id);
      } catch (error) {
        // An id that the kernel does not know any more is closed; anything else ends with the connection.
        if (error instanceof Fault)
          logger.debug({ id, code: error.code }, 'a passthrough id could not be closed');
        else throw error;
      }
    },
    get on() {
      return allowed && failed === undefined;
    },
    allow(on, why) {
      allowed = on;
      if (!on && why !== undefined && failed === undefined) onOff(why);
    },
    turnOff,
  };
}
