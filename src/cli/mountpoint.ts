import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { Fault } from '../base/fault.ts';

/**
 * The directory that something shall be mounted at: absolute, links resolved.
 * @param root the station's
 * @param mounted where its images are mounted: those are never looked into, since that could wait for a peer
 * @throws Fault `not-found/no-mountpoint`, `invalid/mountpoint-is-file`, `denied/mountpoint-access`,
 *   `exists/already-mounted`, `invalid/mountpoint-in-root`, `invalid/mountpoint-over-root`
 */
export async function findMountpoint(dir: string, root: string, mounted: readonly string[]): Promise<string> {
  const given = resolve(dir);
  refuseMounted(given, mounted);
  const target = await realpath(given).catch((error) => {
    throw unreachable(given, error);
  });
  refuseMounted(target, mounted);
  const found = await stat(target);
  if (!found.isDirectory()) {
    throw new Fault('invalid', 'mountpoint-is-file', `${given} is not a directory`, {
      fields: { target: given },
    });
  }
  const home = await realpath(root).catch(() => resolve(root));
  if (isBelow(target, home)) {
    throw new Fault(
      'invalid',
      'mountpoint-in-root',
      `${given} lies in the station's own root ${home}: mount elsewhere`,
      { fields: { target, root: home } },
    );
  }
  if (isBelow(home, target)) {
    throw new Fault(
      'invalid',
      'mountpoint-over-root',
      `a mount at ${given} would hide the station's root ${home}: mount elsewhere`,
      { fields: { target, root: home } },
    );
  }
  return target;
}

/**
 * The mountpoint that a user means by `dir`. Nothing behind a mount is asked: one that hangs must be possible to
 * unmount.
 */
export async function meantMountpoint(dir: string, mounted: readonly string[]): Promise<string> {
  const given = resolve(dir);
  if (mounted.includes(given)) return given;
  // The links on the way to it, and not the last step, which may be the mount.
  const parent = await realpath(dirname(given)).catch(() => dirname(given));
  const beside = join(parent, basename(given));
  if (mounted.includes(beside)) return beside;
  return realpath(given).catch(() => given);
}

function refuseMounted(target: string, mounted: readonly string[]): void {
  if (!mounted.includes(target)) return;
  throw new Fault('exists', 'already-mounted', `an image is mounted at ${target} already: umount it first`, {
    fields: { target },
  });
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function unreachable(target: string, error: NodeJS.ErrnoException): Fault {
  const fields = { target };
  const options = { cause: error, fields };
  if (error.code === 'ENOENT') {
    return new Fault('not-found', 'no-mountpoint', `there is no directory ${target}: make it first`, options);
  }
  if (error.code === 'ENOTDIR') {
    return new Fault('invalid', 'mountpoint-is-file', `${target} is not a directory`, options);
  }
  return new Fault('denied', 'mountpoint-access', `${target} cannot be reached: ${error.message}`, options);
}
