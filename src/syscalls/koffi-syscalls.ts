import { closeSync } from 'node:fs';
import { Fault, type FaultFields } from '../base/fault.ts';
import { errnoKind, errnoName } from './errno.ts';
import { type Libc, type LibcFunction, type LibcResult, loadLibc } from './libc.ts';
import { bindXattrCalls, readXattrs, type XattrCalls } from './path-xattrs.ts';
import { MAX_MOUNT_DATA, type MountFlag, type Syscalls } from './syscalls.ts';
import { createTurns } from './turns.ts';

// include/uapi/linux/mount.h
const MOUNT_FLAGS: Readonly<Record<MountFlag, number>> = {
  rdonly: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  remount: 32,
  noatime: 1024,
  bind: 4096,
  private: 1 << 18,
};

// umount(2)
const MNT_FORCE = 1;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

// include/uapi/linux/fuse.h: _IOW(229, 1, struct fuse_backing_map) of 16 bytes, _IOW(229, 2, uint32_t)
const BACKING_OPEN = 0x4010e501;
const BACKING_CLOSE = 0x4004e502;

// The numbers of calls added since Linux 5.1 are the same on every architecture that Node runs on.
const SYS_PIDFD_OPEN = 434;
const SYS_PIDFD_GETFD = 438;

/** Mounts and unmounts at a time, out of libuv's four threads. */
const MOUNT_WIDTH = 2;

/**
 * The calls of the libc that runs this process (glibc or musl), through koffi. Nothing is loaded before the first call.
 * @param load where the libc comes from
 */
export function createSyscalls(load: () => Libc = loadLibc): Syscalls {
  let bound: Bound | undefined;
  const libc = (): Bound => {
    bound ??= bindAll(load());
    return bound;
  };
  const turn = createTurns(MOUNT_WIDTH);
  // One for all calls: they are synchronous, and one a passthrough open would be garbage.
  const backingMap = Buffer.alloc(16);
  const backingId = Buffer.alloc(4);

  return {
    async mount({ source, target, type, flags, data }) {
      const fields = { call: 'mount', path: target, source, type };
      for (const text of [source, target, type, data]) refuseZero(text, fields);
      if (Buffer.byteLength(data) > MAX_MOUNT_DATA) throw tooLong(data, fields);
      const bits = flags.reduce((all, flag) => all | MOUNT_FLAGS[flag], 0);
      const { mount } = libc();
      check(await turn(() => mount.callLater(source, target, type, bits, data)), fields);
    },
    async unmount(target, { detach = false, force = false, follow = false } = {}) {
      const fields = { call: 'umount2', path: target };
      refuseZero(target, fields);
      const bits = (follow ? 0 : UMOUNT_NOFOLLOW) | (detach ? MNT_DETACH : 0) | (force ? MNT_FORCE : 0);
      const { umount2 } = libc();
      check(await turn(() => umount2.callLater(target, bits)), fields);
    },
    backingOpen(fuseDevice, file) {
      // struct fuse_backing_map { int32_t fd; uint32_t flags; uint64_t padding; }
      backingMap.writeInt32LE(file, 0);
      return check(libc().ioctl.call(fuseDevice, BACKING_OPEN, backingMap), { call: 'backing-open' });
    },
    backingClose(fuseDevice, id) {
      backingId.writeInt32LE(id, 0);
      check(libc().ioctl.call(fuseDevice, BACKING_CLOSE, backingId), { call: 'backing-close', id });
    },
    takeFd(pid, fd) {
      const { pidfdOpen, pidfdGetfd } = libc();
      const pidfd = check(pidfdOpen.call(SYS_PIDFD_OPEN, pid, 0), { call: 'pidfd_open', pid });
      try {
        return check(pidfdGetfd.call(SYS_PIDFD_GETFD, pidfd, fd, 0), { call: 'pidfd_getfd', pid, fd });
      } finally {
        closeSync(pidfd);
      }
    },
    xattrs(path) {
      refuseZero(path, { call: 'lgetxattr', path });
      return readXattrs(libc().xattrs, path, (result) => check(result, { call: 'lgetxattr', path }));
    },
    async setXattr(path, { name, value }) {
      const fields = { call: 'lsetxattr', path, name: Buffer.from(name).toString('latin1') };
      refuseZero(path, fields);
      check(await libc().xattrs.set(path, name, value), fields);
    },
  };
}

interface Bound {
  readonly mount: LibcFunction;
  readonly umount2: LibcFunction;
  readonly ioctl: LibcFunction;
  readonly pidfdOpen: LibcFunction;
  readonly pidfdGetfd: LibcFunction;
  readonly xattrs: XattrCalls;
}

function bindAll(libc: Libc): Bound {
  return {
    mount: libc(
      'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
    ),
    umount2: libc('int umount2(const char *target, int flags)'),
    // Variadic in C; fixed integer and pointer arguments go the same way on x86-64 and on arm64 Linux.
    ioctl: libc('int ioctl(int fd, unsigned long request, void *argument)'),
    pidfdOpen: libc('long syscall(long number, int pid, unsigned int flags)'),
    pidfdGetfd: libc('long syscall(long number, int pidfd, int fd, unsigned int flags)'),
    xattrs: bindXattrCalls(libc),
  };
}

function check({ value, errno }: LibcResult, fields: FaultFields & { readonly call: string }): number {
  if (value >= 0) return value;
  const name = errnoName(errno);
  const { call, path, pid } = fields;
  const what = path ?? (pid === undefined ? undefined : `process ${pid}`);
  const subject = what === undefined ? call : `${call} ${what}`;
  throw new Fault(errnoKind(errno), `${call.replaceAll('_', '-')}-failed`, `${subject}: ${name}`, {
    fields: { ...fields, errno: name },
  });
}

function refuseZero(text: string, fields: FaultFields): void {
  if (!text.includes('\0')) return;
  throw new Fault('invalid', 'zero-byte', `a zero byte in ${JSON.stringify(text)} would end it there`, {
    fields,
  });
}

function tooLong(data: string, fields: FaultFields): Fault {
  const bytes = Buffer.byteLength(data);
  return new Fault(
    'invalid',
    'mount-options-too-long',
    `the options of this mount are ${bytes} bytes long, the kernel takes ${MAX_MOUNT_DATA}: use a root or folders with shorter paths`,
    { fields: { ...fields, bytes } },
  );
}
