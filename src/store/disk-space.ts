import { statfsSync } from 'node:fs';
import { toFault } from '../base/fault.ts';

/** Room on the store's filesystem, less what is kept for the database: a commit that finds none breaks more than one put. */
export interface DiskSpace {
  /** @throws Fault `unavailable/disk-full` (fields: path) where `bytes` more would touch the reserve */
  claim(bytes: number): void;
}

/** Bytes claimed between two looks at the filesystem. */
const LOOK_EVERY = 1024 * 1024;

export function createDiskSpace(folder: string, reserveBytes: number): DiskSpace {
  let known = 0;
  return {
    claim(bytes) {
      if (known < bytes) known = Math.min(LOOK_EVERY + bytes, freeBytes(folder) - reserveBytes);
      if (known < bytes) {
        throw toFault(Object.assign(new Error('no space left'), { code: 'ENOSPC', path: folder }));
      }
      known -= bytes;
    },
  };
}

/** What a process without privileges may still write (statfs(2), f_bavail). */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
