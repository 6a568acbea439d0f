import { constants } from 'node:fs';
import { ERRNO } from '../syscalls/errno.ts';
import type { FuseFilesystem, Status } from './filesystem.ts';
import type { Replies } from './replies/replies.ts';
import { BODY_ROOM } from './replies/reply-frame.ts';
import type { Request } from './request.ts';
import type { ServedName } from './wire/operations.ts';
import { GETXATTR_OUT } from './wire/reply-layouts.ts';
import {
  BATCH_FORGET_IN,
  FORGET_IN,
  FORGET_ONE,
  GETXATTR_IN,
  IN_HEADER,
  INTERRUPT_IN,
  LSEEK_IN,
  NO_BODY,
  OPEN_IN,
  READ_IN,
  RELEASE_IN,
} from './wire/request-layouts.ts';

/** A request that gets no reply, now or later. */
export const NO_REPLY = -2;

/** What handlers work on: all of it lives as long as the session. */
export interface Serving {
  readonly request: Request;
  readonly replies: Replies;
  readonly filesystem: FuseFilesystem;
  /** It was agreed on that one ENOSYS to OPENDIR means: never ask. */
  noOpendir(): boolean;
  init(): Status;
  destroy(): void;
}

/** Decodes the request at hand and calls the filesystem once; the reply's body is then in the frame. */
export type Handler = (serving: Serving) => Status;

const { EINVAL, EIO, ENAMETOOLONG, ENOSYS, ENXIO, ERANGE, EROFS } = ERRNO;
/** O_ACCMODE is 3 on Linux: anything but O_RDONLY. */
const WRITING_FLAGS = 3 | constants.O_TRUNC;
/** NAME_MAX, which statfs shows. */
const NAME_LENGTH = 255;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** One handler for each operation that the table does not refuse. */
export const HANDLERS: Readonly<Record<ServedName, Handler>> = {
  LOOKUP: ({ request, replies, filesystem }) => {
    const name = request.name(NO_BODY.size);
    if (name === undefined) return EINVAL;
    // the kernel lets more through (FUSE_NAME_MAX, 1024)
    if (name.length > NAME_LENGTH) return ENAMETOOLONG;
    return filesystem.lookup(request.node, name, replies.entry);
  },
  FORGET: ({ request, filesystem }) => {
    filesystem.forget(request.node, request.u64(FORGET_IN.at.count));
    return NO_REPLY;
  },
  BATCH_FORGET: ({ request, filesystem }) => {
    const room = request.length - IN_HEADER.size - BATCH_FORGET_IN.size;
    const count = Math.min(request.u32(BATCH_FORGET_IN.at.count), Math.floor(room / FORGET_ONE.size));
    for (let n = 0, at = BATCH_FORGET_IN.size; n < count; n++, at += FORGET_ONE.size)
      filesystem.forget(request.u64(at + FORGET_ONE.at.node), request.u64(at + FORGET_ONE.at.count));
    return NO_REPLY;
  },
  GETATTR: ({ request, replies, filesystem }) => filesystem.attributes(request.node, replies.attributes),
  STATX: ({ request, replies, filesystem }) => filesystem.attributes(request.node, replies.statx),
  READLINK: ({ request, replies, filesystem }) => filesystem.readLink(request.node, replies.bytes),
  OPEN: ({ request, replies, filesystem }) => {
    const flags = request.u32(OPEN_IN.at.flags);
    if ((flags & WRITING_FLAGS) !== 0) return EROFS;
    return notEnosys(filesystem.open(request.node, flags, request.id(), replies.open));
  },
  READ: ({ request, replies, filesystem }) => {
    const offset = request.u64(READ_IN.at.offset);
    const size = request.u32(READ_IN.at.size);
    // cut short it would read as the end of the file
    if (size > BODY_ROOM) return EIO;
    if (offset > Number.MAX_SAFE_INTEGER) return 0;
    const handle = request.u64(READ_IN.at.handle);
    const status = filesystem.read(request.node, handle, offset, size, request.id(), replies.bytes);
    return status === 0 && replies.frame.size > size ? EIO : status;
  },
  RELEASE: ({ request, filesystem }) => {
    filesystem.release(request.node, request.u64(RELEASE_IN.at.handle));
    return 0;
  },
  OPENDIR: ({ replies, noOpendir }) => {
    if (noOpendir()) return ENOSYS;
    replies.open.directory();
    return 0;
  },
  RELEASEDIR: () => 0,
  READDIR: (serving) => readDirectory(serving, false),
  READDIRPLUS: (serving) => readDirectory(serving, true),
  STATFS: ({ replies, filesystem }) => filesystem.statistics(replies.statistics),
  GETXATTR: (serving) => {
    const { request, replies, filesystem } = serving;
    const name = request.name(GETXATTR_IN.size);
    if (name === undefined) return EINVAL;
    return sized(serving, notEnosys(filesystem.xattr(request.node, name, replies.bytes)));
  },
  LISTXATTR: (serving) =>
    sized(serving, notEnosys(serving.filesystem.xattrNames(serving.request.node, serving.replies.bytes))),
  LSEEK: ({ request, replies, filesystem }) => {
    const whence = request.u32(LSEEK_IN.at.whence);
    if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return EINVAL;
    const offset = request.u64(LSEEK_IN.at.offset);
    if (offset > Number.MAX_SAFE_INTEGER) return ENXIO;
    const handle = request.u64(LSEEK_IN.at.handle);
    return notEnosys(filesystem.seek(request.node, handle, offset, whence === SEEK_DATA, replies.seek));
  },
  INTERRUPT: ({ request, filesystem }) => {
    filesystem.interrupt({
      low: request.u32(INTERRUPT_IN.at.unique),
      high: request.u32(INTERRUPT_IN.at.unique + 4),
    });
    return NO_REPLY;
  },
  NOTIFY_REPLY: () => NO_REPLY,
  INIT: ({ init }) => init(),
  DESTROY: ({ destroy }) => {
    destroy();
    return 0;
  },
};

function readDirectory({ request, replies, filesystem }: Serving, plus: boolean): Status {
  const offset = request.u64(READ_IN.at.offset);
  if (offset > Number.MAX_SAFE_INTEGER) return 0;
  replies.directory.begin(plus, request.u32(READ_IN.at.size));
  return filesystem.readDirectory(request.node, offset, replies.directory);
}

/** xattr(7): size 0 asks how long the value is; one that does not fit is ERANGE. */
function sized({ request, replies }: Serving, status: Status): Status {
  if (status !== 0) return status;
  const { frame } = replies;
  const size = request.u32(GETXATTR_IN.at.size);
  if (size === 0) {
    const length = frame.size;
    frame.view.setUint32(frame.from, length, true);
    frame.view.setUint32(frame.from + 4, 0, true);
    frame.size = GETXATTR_OUT.size;
    return 0;
  }
  return frame.size > size ? ERANGE : 0;
}

/** The kernel would remember ENOSYS for the whole mount; about one file it means no such thing. */
function notEnosys(status: Status): Status {
  return status === ENOSYS ? EIO : status;
}
