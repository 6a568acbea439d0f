import { closeSync, openSync } from 'node:fs';
import { Fault, toFault } from '../base/fault.ts';
import type { Syscalls } from '../syscalls/syscalls.ts';

/**
 * Opens /dev/fuse and mounts a FUSE filesystem of it at `target`. It answers nothing before somebody reads the device.
 * nosuid and nodev hold for this path alone: an overlay on it honours suid files and devices, as it may be asked to.
 * @returns the descriptor, which is the caller's: the filesystem lives as long as any process has it
 * @throws Fault `unsupported/no-fuse`: says why and what to do
 */
export async function mountFuse(syscalls: Syscalls, target: string): Promise<number> {
  let device: number;
  try {
    device = openSync('/dev/fuse', 'r+');
  } catch (error) {
    throw noFuse(error, (error as NodeJS.ErrnoException).code);
  }
  try {
    await syscalls.mount({
      source: 'shp',
      target,
      type: 'fuse.shp',
      flags: ['nosuid', 'nodev', 'rdonly'],
      data: `fd=${device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions`,
    });
  } catch (error) {
    closeSync(device);
    throw noFuse(error, String(toFault(error).fields.errno ?? ''));
  }
  return device;
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no /dev/fuse: load the module (modprobe fuse), or give the container the device',
  ENODEV: 'the kernel has no FUSE: load the module (modprobe fuse)',
  ENXIO: 'the kernel has no FUSE: load the module (modprobe fuse)',
  EACCES: '/dev/fuse may not be opened: run the station as root, or allow the container the device',
  EPERM: 'mounting is not allowed: run the station as root with CAP_SYS_ADMIN',
};

function noFuse(error: unknown, errno: string | undefined): Fault {
  const why = WHY[errno ?? ''] ?? toFault(error).message;
  return new Fault('unsupported', 'no-fuse', `images cannot be mounted here: ${why}`, {
    cause: error,
    fields: { why, errno },
  });
}
