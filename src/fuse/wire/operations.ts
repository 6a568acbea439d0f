import { constants } from 'node:os';
import type { Layout } from './layout.ts';
import {
  ACCESS_IN,
  BATCH_FORGET_IN,
  BMAP_IN,
  COPY_FILE_RANGE_IN,
  CREATE_IN,
  FALLOCATE_IN,
  FLUSH_IN,
  FORGET_IN,
  FSYNC_IN,
  GETATTR_IN,
  GETXATTR_IN,
  INTERRUPT_IN,
  IOCTL_IN,
  LINK_IN,
  LOCK_IN,
  LSEEK_IN,
  MKDIR_IN,
  MKNOD_IN,
  NO_BODY,
  OPEN_IN,
  POLL_IN,
  READ_IN,
  RELEASE_IN,
  RENAME_IN,
  RENAME2_IN,
  SETATTR_IN,
  SETXATTR_IN,
  SHORT_INIT_IN,
  STATX_IN,
  SYNCFS_IN,
  WRITE_IN,
} from './request-layouts.ts';

const { ENOSYS, ENOTTY, EROFS } = constants.errno;

/**
 * What the reply's body is.
 * - `nothing`: no reply at all
 * - `empty`: a header alone
 * - `bytes`: any number of them; of GETXATTR and LISTXATTR the size alone, where the request's size is 0
 * - else: the struct of that name
 */
export type Answer =
  | 'nothing'
  | 'empty'
  | 'bytes'
  | 'entry'
  | 'attributes'
  | 'statx'
  | 'open'
  | 'directory'
  | 'statistics'
  | 'seek'
  | 'init';

/** All facts of one opcode; parser, session, dump and tests read them here. */
export interface Operation {
  readonly opcode: number;
  readonly name: string;
  /** Minor version of protocol 7 that brought it; 0: older than 7.9. */
  readonly since: number;
  /** The fixed part of the request, behind the header. */
  readonly body: Layout;
  /** How many texts follow it, each ended by a NUL. */
  readonly names: 0 | 1 | 2;
  readonly answer: Answer;
  /** It would change the filesystem: refused with EROFS. */
  readonly writes: boolean;
  /** Errno of the refusal; absent: it is served. */
  readonly refuse?: number;
  /**
   * The kernel takes one ENOSYS for the whole life of the mount: it never asks again and does what stands here. So a
   * row without {@link refuse} that has this must never be answered ENOSYS, except where it is wanted.
   */
  readonly enosys?: string;
}

interface Facts {
  readonly since?: number;
  readonly names?: 0 | 1 | 2;
  readonly answer?: Answer;
  readonly enosys?: string;
}

const served = <const Name extends string>(opcode: number, name: Name, body: Layout, facts: Facts = {}) => ({
  opcode,
  name,
  body,
  since: facts.since ?? 0,
  names: facts.names ?? (0 as const),
  answer: facts.answer ?? ('empty' as const),
  writes: false,
  ...(facts.enosys === undefined ? {} : { enosys: facts.enosys }),
});

const refused = <const Name extends string>(
  opcode: number,
  name: Name,
  body: Layout,
  refuse: number,
  facts: Facts = {},
) => ({ ...served(opcode, name, body, facts), refuse });

const write = <const Name extends string>(opcode: number, name: Name, body: Layout, facts: Facts = {}) => ({
  ...refused(opcode, name, body, EROFS, facts),
  writes: true,
});

/** linux/fuse.h, enum fuse_opcode; which ENOSYS is remembered: fs/fuse/{file,dir,xattr,readdir}.c. */
const ROWS = [
  served(1, 'LOOKUP', NO_BODY, { names: 1, answer: 'entry' }),
  served(2, 'FORGET', FORGET_IN, { answer: 'nothing' }),
  served(3, 'GETATTR', GETATTR_IN, { answer: 'attributes' }),
  write(4, 'SETATTR', SETATTR_IN),
  served(5, 'READLINK', NO_BODY, { answer: 'bytes' }),
  write(6, 'SYMLINK', NO_BODY, { names: 2 }),
  write(8, 'MKNOD', MKNOD_IN, { names: 1 }),
  write(9, 'MKDIR', MKDIR_IN, { names: 1 }),
  write(10, 'UNLINK', NO_BODY, { names: 1 }),
  write(11, 'RMDIR', NO_BODY, { names: 1 }),
  write(12, 'RENAME', RENAME_IN, { names: 2 }),
  write(13, 'LINK', LINK_IN, { names: 1 }),
  served(14, 'OPEN', OPEN_IN, { answer: 'open', enosys: 'opens without asking: no passthrough any more' }),
  served(15, 'READ', READ_IN, { answer: 'bytes' }),
  write(16, 'WRITE', WRITE_IN),
  served(17, 'STATFS', NO_BODY, { answer: 'statistics' }),
  served(18, 'RELEASE', RELEASE_IN),
  // ENOSYS reads as success and is remembered: fsync costs nothing from then on.
  refused(20, 'FSYNC', FSYNC_IN, ENOSYS, { enosys: 'succeeds' }),
  write(21, 'SETXATTR', SETXATTR_IN, { names: 1, enosys: 'EOPNOTSUPP' }),
  served(22, 'GETXATTR', GETXATTR_IN, { names: 1, answer: 'bytes', enosys: 'EOPNOTSUPP' }),
  served(23, 'LISTXATTR', GETXATTR_IN, { answer: 'bytes', enosys: 'EOPNOTSUPP' }),
  write(24, 'REMOVEXATTR', NO_BODY, { names: 1, enosys: 'EOPNOTSUPP' }),
  refused(25, 'FLUSH', FLUSH_IN, ENOSYS, { enosys: 'closes without asking' }),
  served(26, 'INIT', SHORT_INIT_IN, { answer: 'init' }),
  served(27, 'OPENDIR', OPEN_IN, {
    answer: 'open',
    since: 0,
    enosys: 'opens without asking, keeps its cache',
  }),
  served(28, 'READDIR', READ_IN, { answer: 'directory' }),
  served(29, 'RELEASEDIR', RELEASE_IN),
  refused(30, 'FSYNCDIR', FSYNC_IN, ENOSYS, { enosys: 'succeeds' }),
  // Locks are the kernel's own, since FUSE_POSIX_LOCKS and FUSE_FLOCK_LOCKS are never agreed on.
  refused(31, 'GETLK', LOCK_IN, ENOSYS),
  refused(32, 'SETLK', LOCK_IN, ENOSYS),
  refused(33, 'SETLKW', LOCK_IN, ENOSYS),
  // Never asked with default_permissions.
  refused(34, 'ACCESS', ACCESS_IN, ENOSYS, { enosys: 'access is granted' }),
  write(35, 'CREATE', CREATE_IN, { names: 1, enosys: 'MKNOD and OPEN instead' }),
  served(36, 'INTERRUPT', INTERRUPT_IN, { answer: 'nothing', enosys: 'never interrupts again' }),
  refused(37, 'BMAP', BMAP_IN, ENOSYS, { enosys: 'answers 0' }),
  served(38, 'DESTROY', NO_BODY),
  refused(39, 'IOCTL', IOCTL_IN, ENOTTY, { since: 11 }),
  refused(40, 'POLL', POLL_IN, ENOSYS, { since: 11, enosys: 'always ready' }),
  served(41, 'NOTIFY_REPLY', NO_BODY, { since: 15, answer: 'nothing' }),
  served(42, 'BATCH_FORGET', BATCH_FORGET_IN, { since: 16, answer: 'nothing' }),
  write(43, 'FALLOCATE', FALLOCATE_IN, { since: 19, enosys: 'EOPNOTSUPP' }),
  served(44, 'READDIRPLUS', READ_IN, { since: 21, answer: 'directory' }),
  write(45, 'RENAME2', RENAME2_IN, { since: 23, names: 2, enosys: 'EINVAL' }),
  served(46, 'LSEEK', LSEEK_IN, { since: 24, answer: 'seek', enosys: 'one extent of data' }),
  write(47, 'COPY_FILE_RANGE', COPY_FILE_RANGE_IN, { since: 28, enosys: 'copies itself' }),
  refused(48, 'SETUPMAPPING', NO_BODY, ENOSYS, { since: 31 }),
  refused(49, 'REMOVEMAPPING', NO_BODY, ENOSYS, { since: 31 }),
  refused(50, 'SYNCFS', SYNCFS_IN, ENOSYS, { since: 34, enosys: 'succeeds' }),
  write(51, 'TMPFILE', CREATE_IN, { since: 37, names: 1, enosys: 'EOPNOTSUPP' }),
  served(52, 'STATX', STATX_IN, { since: 39, answer: 'statx', enosys: 'GETATTR instead' }),
  write(53, 'COPY_FILE_RANGE_64', COPY_FILE_RANGE_IN, { since: 45, enosys: 'COPY_FILE_RANGE instead' }),
] as const satisfies readonly Operation[];

type Row = (typeof ROWS)[number];

/** Operations that are answered by something other than a fixed refusal. */
export type ServedName = Exclude<Row, { readonly refuse: number }>['name'];
export type OperationName = Row['name'];

export const OPERATIONS: readonly (Operation & { readonly name: OperationName })[] = ROWS;

/** Above every opcode of the table; CUSE has its own far above. */
export const OPCODE_LIMIT = 64;

const BY_OPCODE: readonly (Operation | undefined)[] = Array.from({ length: OPCODE_LIMIT }, (_, opcode) =>
  OPERATIONS.find((row) => row.opcode === opcode),
);

/** The row of an opcode; `undefined` where the kernel is newer than the table. */
export function operationOf(opcode: number): Operation | undefined {
  return opcode < OPCODE_LIMIT ? BY_OPCODE[opcode] : undefined;
}

/** The row of a name. */
export function operation(name: OperationName): Operation {
  return OPERATIONS.find((row) => row.name === name)!;
}
