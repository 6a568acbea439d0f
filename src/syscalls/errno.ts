import { constants } from 'node:os';
import type { Fault, FaultKind } from '../base/fault.ts';

const NODE = constants.errno;

/** Numbers by name, as this kernel has them. */
export const ERRNO = {
  EPERM: NODE.EPERM,
  ENOENT: NODE.ENOENT,
  ESRCH: NODE.ESRCH,
  EINTR: NODE.EINTR,
  EIO: NODE.EIO,
  ENXIO: NODE.ENXIO,
  EBADF: NODE.EBADF,
  EAGAIN: NODE.EAGAIN,
  ENOMEM: NODE.ENOMEM,
  EACCES: NODE.EACCES,
  EFAULT: NODE.EFAULT,
  EBUSY: NODE.EBUSY,
  EEXIST: NODE.EEXIST,
  EXDEV: NODE.EXDEV,
  ENODEV: NODE.ENODEV,
  ENOTDIR: NODE.ENOTDIR,
  EISDIR: NODE.EISDIR,
  EINVAL: NODE.EINVAL,
  ENFILE: NODE.ENFILE,
  EMFILE: NODE.EMFILE,
  ENOTTY: NODE.ENOTTY,
  EFBIG: NODE.EFBIG,
  ENOSPC: NODE.ENOSPC,
  EROFS: NODE.EROFS,
  ERANGE: NODE.ERANGE,
  ENAMETOOLONG: NODE.ENAMETOOLONG,
  ENOSYS: NODE.ENOSYS,
  ELOOP: NODE.ELOOP,
  ENODATA: NODE.ENODATA,
  EOVERFLOW: NODE.EOVERFLOW,
  EPROTO: NODE.EPROTO,
  EOPNOTSUPP: NODE.EOPNOTSUPP,
  ECONNABORTED: NODE.ECONNABORTED,
  ENOTCONN: NODE.ENOTCONN,
  ETIMEDOUT: NODE.ETIMEDOUT,
  ESTALE: NODE.ESTALE,
  EDQUOT: NODE.EDQUOT,
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
  [ERRNO.EPERM]: 'denied',
  [ERRNO.EACCES]: 'denied',
  [ERRNO.EROFS]: 'denied',
  [ERRNO.ENOENT]: 'not-found',
  [ERRNO.ESRCH]: 'not-found',
  [ERRNO.EEXIST]: 'exists',
  [ERRNO.EBUSY]: 'busy',
  [ERRNO.EINTR]: 'cancelled',
  [ERRNO.EINVAL]: 'invalid',
  [ERRNO.EBADF]: 'invalid',
  [ERRNO.ENOTDIR]: 'invalid',
  [ERRNO.EISDIR]: 'invalid',
  [ERRNO.ELOOP]: 'invalid',
  [ERRNO.ENAMETOOLONG]: 'invalid',
  [ERRNO.EOVERFLOW]: 'invalid',
  [ERRNO.ENOSYS]: 'unsupported',
  [ERRNO.ENODEV]: 'unsupported',
  [ERRNO.ENOTTY]: 'unsupported',
  [ERRNO.EOPNOTSUPP]: 'unsupported',
  [ERRNO.ENOTBLK]: 'unsupported',
  [ERRNO.ENOMEM]: 'unavailable',
  [ERRNO.ENFILE]: 'unavailable',
  [ERRNO.EMFILE]: 'unavailable',
  [ERRNO.ENOSPC]: 'unavailable',
  [ERRNO.EAGAIN]: 'unavailable',
  [ERRNO.ENOTCONN]: 'unavailable',
  [ERRNO.ECONNABORTED]: 'unavailable',
  [ERRNO.ETIMEDOUT]: 'unavailable',
};

export function errnoKind(errno: number): FaultKind {
  return KINDS[errno] ?? 'internal';
}

/**
 * The FUSE door's table: what a reader of the mount gets. Missing or damaged content is EIO whatever the reason, as from
 * a disk: programs handle that one, and the log says the rest.
 */
const FAULT_ERRNO: Readonly<Record<FaultKind, number>> = {
  'not-found': ERRNO.ENOENT,
  exists: ERRNO.EEXIST,
  invalid: ERRNO.EINVAL,
  corrupt: ERRNO.EIO,
  unavailable: ERRNO.EIO,
  busy: ERRNO.EBUSY,
  denied: ERRNO.EACCES,
  unsupported: ERRNO.EOPNOTSUPP,
  cancelled: ERRNO.EINTR,
  internal: ERRNO.EIO,
};

export function faultErrno(fault: Pick<Fault, 'kind'>): number {
  return FAULT_ERRNO[fault.kind];
}
