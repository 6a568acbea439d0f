/**
 * What a filesystem answers to the kernel. The session decodes a request, calls one method, and sends what the method
 * put into the reply: synchronously, without a promise or an object a call, since a single thread serves all requests
 * and each microsecond is one of every look-up on the machine.
 *
 * Node ids are integers up to 2^53 - 1, 1 is the root; the filesystem chooses them and gives the same ones after a
 * restart, so that requests resent by the kernel (FUSE_NOTIFY_RESEND) mean the same. File handles likewise.
 *
 * A method answers a {@link Status}: 0, a positive errno, or PENDING. After PENDING the session sends nothing; somebody
 * answers the request's `unique` later, on any thread, by a {@link DeferredReplies}. Replies must not be touched after
 * the method returned. A method that throws is EIO and logged.
 *
 * Life of a file: lookup -> open -> read ... -> release -> forget. Life of a directory: lookup -> opendir (answered by the
 * session, no handle) -> readDirectory ... Everything that would write is refused by the session with EROFS.
 */
export interface FuseFilesystem {
  /** `name` is a view into the request. `out.entry` or `out.absent()` (a negative entry: cached), else an errno. */
  lookup(parent: number, name: Uint8Array, out: EntryReply): Status;
  /** The kernel forgets `count` look-ups of the node; 0 look-ups left: no file of it is open any more. No answer. */
  forget(node: number, count: number): void;
  attributes(node: number, out: AttributesReply): Status;
  readLink(node: number, out: BytesReply): Status;
  /** @param flags of open(2); the session refused writing modes before. ENOSYS becomes EIO: the kernel would keep it */
  open(node: number, flags: number, request: RequestId, out: OpenReply): Status;
  read(
    node: number,
    handle: number,
    offset: number,
    size: number,
    request: RequestId,
    out: BytesReply,
  ): Status;
  release(node: number, handle: number): void;
  /** From the entry behind `offset` (0: the first; each entry has an offset the filesystem chose) until `out` is full. */
  readDirectory(node: number, offset: number, out: DirectoryReply): Status;
  statistics(out: StatisticsReply): Status;
  /** The value, or ENODATA. Size limits (ERANGE, the size alone) are the session's. */
  xattr(node: number, name: Uint8Array, out: BytesReply): Status;
  /** Names, each with a 0 byte behind it. */
  xattrNames(node: number, out: BytesReply): Status;
  /** SEEK_DATA, SEEK_HOLE. */
  seek(node: number, handle: number, offset: number, toData: boolean, out: SeekReply): Status;
  /**
   * The reader of a PENDING request was interrupted: answer it soon, EINTR will do. Even a killed process does not end
   * before (fs/fuse/dev.c, request_wait_answer), except where it waits for readahead: then there is no interrupt.
   */
  interrupt(request: RequestId): void;
}

/** 0: done; above: an errno (syscalls/errno.ts has their names); {@link PENDING}. */
export type Status = number;
export const PENDING = -1;

/**
 * A request's `unique`, as two unsigned halves: it uses all 64 bits once it was resent (bit 63). It may be kept, and the
 * answer may be sent from another thread.
 */
export interface RequestId {
  readonly high: number;
  readonly low: number;
}

/** Everything stat(2) shows. Serialised at once: one object may be used again for the next call. */
export interface NodeAttributes {
  /** As `ls -i` shows it; up to 2^53 - 1. */
  inode: number;
  size: number;
  /** Seconds, negative before 1970. */
  mtime: number;
  mtimeNanos: number;
  /** With the type's bits (S_IFMT). */
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  devMajor: number;
  devMinor: number;
}

export interface EntryReply {
  entry(node: number, attributes: NodeAttributes): void;
  absent(): void;
}

export interface AttributesReply {
  attributes(attributes: NodeAttributes): void;
}

export interface OpenReply {
  /** Reads come as READ; the page cache is kept between opens. */
  handle(handle: number): void;
  /** The kernel reads the backing file itself (FOPEN_PASSTHROUGH). */
  passthrough(handle: number, backingId: number): void;
}

export interface BytesReply {
  /** Copies. */
  bytes(bytes: Uint8Array): void;
  /** A place of at most `size` bytes inside the reply, to be filled now; then say how much with {@link filled}. */
  space(size: number): Uint8Array;
  filled(length: number): void;
}

export interface DirectoryReply {
  /** The kernel asked for READDIRPLUS: give {@link entry} the node and attributes. */
  readonly plus: boolean;
  /**
   * @param next the offset of the entry behind this one
   * @param node 0 in READDIRPLUS: no look-up is counted (`.` and `..`)
   * @returns false when it did not fit: end here
   */
  entry(name: Uint8Array, next: number, node: number, attributes: NodeAttributes): boolean;
}

export interface StatisticsReply {
  /** Blocks of 4096 bytes. */
  statistics(blocks: number, files: number): void;
}

export interface SeekReply {
  offset(offset: number): void;
}

/** Answers PENDING requests, from any thread: one write(2) each, which the kernel takes as a whole. */
export interface DeferredReplies {
  error(request: RequestId, errno: number): void;
  bytes(request: RequestId, bytes: Uint8Array): void;
  opened(request: RequestId, handle: number): void;
}
