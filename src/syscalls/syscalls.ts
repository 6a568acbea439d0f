import type { PathXattr } from './path-xattrs.ts';

/** One mount(2): what a plan of mounts is made of. */
export interface MountCall {
  readonly source: string;
  /** Absolute; must exist. */
  readonly target: string;
  /** `fuse.shp`, `overlay`; empty for a remount or bind. */
  readonly type: string;
  readonly flags: readonly MountFlag[];
  /** `a=b,c`; at most 4095 bytes, which is all that mount(2) takes. */
  readonly data: string;
}

export type MountFlag = 'rdonly' | 'nosuid' | 'nodev' | 'noexec' | 'bind' | 'remount' | 'private' | 'noatime';

export interface UnmountOptions {
  /** MNT_DETACH: out of sight now, gone when nobody uses it any more. */
  readonly detach?: boolean;
  /** MNT_FORCE: FUSE ends the connection. */
  readonly force?: boolean;
  /** A link in the last place is followed, as mount(2) does; else it is refused (UMOUNT_NOFOLLOW). */
  readonly follow?: boolean;
}

/** Bytes of a mount's options: mount(2) copies one page and ends it with a zero (fs/namespace.c, copy_mount_options). */
export const MAX_MOUNT_DATA = 4095;

/**
 * What Node has no call for, of the libc through koffi. Errors are Faults whose fields name the call, its errno's name
 * (`fields.errno`, a name of syscalls/errno.ts) and the path; `unsupported/no-syscalls` where koffi cannot be loaded.
 */
export interface Syscalls {
  /**
   * Off the event loop, on threads of libuv's pool, since that is where koffi runs asynchronous calls: at most two mounts
   * and unmounts at a time, so that ones which hang leave room for the reads they may wait for.
   */
  mount(call: MountCall): Promise<void>;
  unmount(target: string, options?: UnmountOptions): Promise<void>;
  /**
   * FUSE_DEV_IOC_BACKING_OPEN: a passthrough id of the connection for an open file. 4 us.
   * @throws Fault; fields.errno `ELOOP` where the file lies on a stacked filesystem, `EPERM`, `EOPNOTSUPP`
   */
  backingOpen(fuseDevice: number, file: number): number;
  /** FUSE_DEV_IOC_BACKING_CLOSE; files that use the id keep it. */
  backingClose(fuseDevice: number, id: number): void;
  /** The other process's end of a thing that both can hold: pidfd_open(2) + pidfd_getfd(2). The fd is ours to close. */
  takeFd(pid: number, fd: number): number;
  /** All extended attributes of `path` that we may see, off the event loop; a link is not followed. */
  xattrs(path: string): Promise<readonly PathXattr[]>;
  /** Likewise. */
  setXattr(path: string, xattr: PathXattr): Promise<void>;
}
