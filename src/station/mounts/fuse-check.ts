import { access, constants } from 'node:fs/promises';
import { Fault } from '../../base/fault.ts';
import type { RunLayout } from '../../keeper/run-layout.ts';

/** sun_path holds 108 bytes with the ending zero (unix(7)). */
const MAX_SOCKET_PATH = 107;

/**
 * What can be known before a keeper tries.
 * @throws Fault `unsupported/no-fuse`: says why and what to do; `invalid/root-path-too-long`
 */
export async function checkFuse(root: string, { keeperSocket }: RunLayout): Promise<void> {
  // listenUnix adds the number of its process while it binds
  if (Buffer.byteLength(keeperSocket) + 11 > MAX_SOCKET_PATH) {
    throw new Fault(
      'invalid',
      'root-path-too-long',
      `the root ${root} is too long a path for mounts: its sockets (${keeperSocket}) may have ${MAX_SOCKET_PATH - 11} bytes`,
      { fields: { root } },
    );
  }
  if (process.platform !== 'linux') throw noFuse('only Linux has the FUSE that is used');
  if (process.geteuid?.() !== 0) throw noFuse('the station does not run as root: start it as root');
  try {
    await access('/dev/fuse', constants.R_OK | constants.W_OK);
  } catch (error) {
    throw noFuse(
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'there is no /dev/fuse: load the module (modprobe fuse), or give the container the device (--device /dev/fuse)'
        : `/dev/fuse may not be opened (${String(error)})`,
      error,
    );
  }
}

function noFuse(why: string, cause?: unknown): Fault {
  return new Fault('unsupported', 'no-fuse', `images cannot be mounted here: ${why}`, {
    fields: { why },
    cause,
  });
}
