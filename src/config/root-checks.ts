import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '../base/fault.ts';
import { type Mount, mountOf, readMountTable } from './mount-table.ts';
import { rootLayout } from './root-layout.ts';

/** sun_path holds 108 bytes with the ending zero (unix(7)). */
const MAX_SOCKET_PATH = 107;

/** What cannot hold a root, by the filesystem's name in mountinfo. */
const UNFIT: Readonly<Record<string, readonly [code: string, why: string]>> = {
  overlay: [
    'root-on-overlay',
    "it lies inside a container's root filesystem (overlay): mount a volume there",
  ],
  aufs: ['root-on-overlay', "it lies inside a container's root filesystem (aufs): mount a volume there"],
  'fuse.fuse-overlayfs': [
    'root-on-overlay',
    "it lies inside a container's root filesystem (fuse-overlayfs): mount a volume there",
  ],
  nfs: ['root-unfit', 'it lies on NFS, where the database cannot map its file: use a local disk'],
  nfs4: ['root-unfit', 'it lies on NFS, where the database cannot map its file: use a local disk'],
  vfat: ['root-unfit', 'it lies on FAT, which keeps no permissions and no links: use a Linux filesystem'],
  exfat: ['root-unfit', 'it lies on exFAT, which keeps no permissions and no links: use a Linux filesystem'],
};

/**
 * What must hold before anything is made at or below `root`.
 * @throws Fault `unsupported/root-on-overlay`, `unsupported/root-unfit`, `invalid/root-is-file`,
 *   `invalid/root-path-too-long`, `denied/root-not-writable`; each names the root
 */
export async function checkRoot(root: string, mounts?: readonly Mount[]): Promise<void> {
  const { root: at, controlSocket } = rootLayout(root);
  if (Buffer.byteLength(controlSocket) > MAX_SOCKET_PATH) {
    throw new Fault(
      'invalid',
      'root-path-too-long',
      `the root ${at} is too long a path: with /control.sock it may have ${MAX_SOCKET_PATH} bytes`,
      { fields: { root: at } },
    );
  }
  const ancestor = await nearestExisting(at);
  const found = await stat(ancestor);
  if (!found.isDirectory()) {
    throw new Fault(
      'invalid',
      'root-is-file',
      `the root ${at} cannot be made: ${ancestor} is not a directory`,
      {
        fields: { root: at, path: ancestor },
      },
    );
  }
  const mount = mountOf(await realpath(ancestor), mounts ?? (await readMountTable()));
  const unfit = mount === undefined ? undefined : UNFIT[mount.filesystem];
  if (unfit !== undefined) {
    throw new Fault('unsupported', unfit[0], `the root ${at} cannot be used: ${unfit[1]}`, {
      fields: { root: at, filesystem: mount?.filesystem },
    });
  }
  try {
    await access(ancestor, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw rootNotWritable(at, error);
  }
}

/** @param error the system's: EACCES, EROFS, … */
export function rootNotWritable(root: string, error: unknown): Fault {
  const errno = (error as NodeJS.ErrnoException).code;
  const why =
    errno === 'EROFS' ? 'its filesystem is read-only' : `permission denied (${errno ?? String(error)})`;
  return new Fault(
    'denied',
    'root-not-writable',
    `the root ${root} cannot be written: ${why}; run as root, or give another place by --root`,
    { cause: error, fields: { root } },
  );
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    try {
      await stat(at);
      return at;
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code;
      if (errno === 'EACCES') throw rootNotWritable(path, error);
      if ((errno !== 'ENOENT' && errno !== 'ENOTDIR') || at === '/') throw error;
    }
  }
}
