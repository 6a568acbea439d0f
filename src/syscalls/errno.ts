import { constants } from 'node:os';
import type { Fault, FaultKind } from '../base/fault.ts';

const {
  EPERM,
  ENOENT,
  ESRCH,
  EINTR,
  EIO,
  ENXIO,
  EBADF,
  EAGAIN,
  ENOMEM,
  EACCES,
  EFAULT,
  EBUSY,
  EEXIST,
  EXDEV,
  ENODEV,
  ENOTDIR,
  EISDIR,
  EINVAL,
  ENFILE,
  EMFILE,
  ENOTTY,
  EFBIG,
  ENOSPC,
  EROFS,
  ERANGE,
  ENAMETOOLONG,
  ENOSYS,
  ELOOP,
  ENODATA,
  EOVERFLOW,
  EPROTO,
  EOPNOTSUPP,
  ECONNABORTED,
  ENOTCONN,
  ETIMEDOUT,
  ESTALE,
  EDQUOT,
} = constants.errno;

/** Numbers by name, as this kernel has them. */
export const ERRNO = {
  EPERM,
  ENOENT,
  ESRCH,
  EINTR,
  EIO,
  ENXIO,
  EBADF,
  EAGAIN,
  ENOMEM,
  EACCES,
  EFAULT,
  EBUSY,
  EEXIST,
  EXDEV,
  ENODEV,
  ENOTDIR,
  EISDIR,
  EINVAL,
  ENFILE,
  EMFILE,
  ENOTTY,
  EFBIG,
  ENOSPC,
  EROFS,
  ERANGE,
  ENAMETOOLONG,
  ENOSYS,
  ELOOP,
  ENODATA,
  EOVERFLOW,
  EPROTO,
  EOPNOTSUPP,
  ECONNABORTED,
  ENOTCONN,
  ETIMEDOUT,
  ESTALE,
  EDQUOT,
  // Not in node:os; the number is that of errno-base.h, the same on all of Linux but alpha, mips, parisc and sparc.
  ENOTBLK: 15,
} as const;

export type ErrnoName = keyof typeof ERRNO;

const NAMES = new Map<number, string>(Object.entries(ERRNO).map(([name, errno]) => [errno, name]));

/** `ENOENT` of 2; `errno 200` for one that has no name here. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** The number of a name as Node's errors carry it in `code`; undefined for others. */
export function errnoOf(name: string | undefined): number | undefined {
  return Object.hasOwn(ERRNO, name ?? '') ? ERRNO[name as ErrnoName] : undefined;
}

/** What a failed call means to whoever asked for it; a number that is not here is `internal`. */
const KINDS: Readonly<Record<number, FaultKind>> = {
  [EPERM]: 'denied',
  [EACCES]: 'denied',
  [EROFS]: 'denied',
  [ENOENT]: 'not-found',
  [ESRCH]: 'not-found',
  [EEXIST]: 'exists',
  [EBUSY]: 'busy',
  [EINTR]: 'cancelled',
  [EINVAL]: 'invalid',
  [EBADF]: 'invalid',
  [ENOTDIR]: 'invalid',
  [EISDIR]: 'invalid',
  [ELOOP]: 'invalid',
  [ENAMETOOLONG]: 'invalid',
  [EOVERFLOW]: 'invalid',
  [ENOSYS]: 'unsupported',
  [ENODEV]: 'unsupported',
  [ENOTTY]: 'unsupported',
  [EOPNOTSUPP]: 'unsupported',
  [ERRNO.ENOTBLK]: 'unsupported',
  [ENOMEM]: 'unavailable',
  [ENFILE]: 'unavailable',
  [EMFILE]: 'unavailable',
  [ENOSPC]: 'unavailable',
  [EAGAIN]: 'unavailable',
  [ENOTCONN]: 'unavailable',
  [ECONNABORTED]: 'unavailable',
  [ETIMEDOUT]: 'unavailable',
};

export function errnoKind(errno: number): FaultKind {
  return KINDS[errno] ?? 'internal';
}

/**
 * The FUSE door's table: what a reader of the mount gets. Missing or damaged content is EIO whatever the reason, as from
 * a disk: programs handle that one, and the log says the rest.
 */
const FAULT_ERRNO: Readonly<Record<FaultKind, number>> = {
  'not-found': ENOENT,
  exists: EEXIST,
  invalid: EINVAL,
  corrupt: EIO,
  unavailable: EIO,
  busy: EBUSY,
  denied: EACCES,
  unsupported: EOPNOTSUPP,
  cancelled: EINTR,
  internal: EIO,
};

export function faultErrno(fault: Pick<Fault, 'kind'>): number {
  return FAULT_ERRNO[fault.kind];
}
