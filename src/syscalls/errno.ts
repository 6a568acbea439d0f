import { constants } from 'node:os';
import type { FaultKind } from '../base/fault.ts';

/** Numbers by name, as this kernel has them: `ERRNO.ENOENT`. */
export const ERRNO = {
  ENOENT: constants.errno.ENOENT,
} as const;

/** `ENOENT` of 2; `E<number>` for one that has no name here. */
export function errnoName(errno: number): string {
  return `E${errno}`;
}

/** What a reader of the mount gets for a fault. */
export function faultErrno(kind: FaultKind): number {
  throw new Error(kind);
}
