import { lstat, readlink } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { Fault } from '../../base/fault.ts';

/** As the kernel: more links than that are a loop (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The folder that `target` means, links resolved, looked at part by part: what lies below one of `mounts` is not looked
 * at, since an answer from there may have to wait for this very process.
 * @param mounts absolute paths of our mounts
 * @throws Fault `invalid/bad-mount-path`, `not-found/no-mountpoint`, `invalid/mountpoint-is-file`,
 *   `exists/already-mounted`, `invalid/mountpoint-in-image`
 */
export async function resolveTarget(target: string, mounts: readonly string[]): Promise<string> {
  if (!isAbsolute(target)) {
    throw new Fault('invalid', 'bad-mount-path', `not an absolute path: ${JSON.stringify(target)}`, {
      fields: { target },
    });
  }
  const taken = new Set(mounts);
  let rest = parts(target);
  let at = '/';
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...behind] = rest;
    const next = name === '..' ? dirname(at) : join(at, name);
    rest = behind;
    if (taken.has(next)) throw rest.length === 0 ? alreadyMounted(next) : inImage(target, next);
    const link = await linkAt(next, target, rest.length === 0);
    if (link === undefined) {
      at = next;
      continue;
    }
    if (++links > MAX_LINKS) throw notThere(target, 'it has too many symbolic links');
    if (isAbsolute(link)) at = '/';
    rest = [...parts(link), ...rest];
  }
  return at;
}

const parts = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');

/** Where the link at `path` leads; `undefined` where it is a folder. */
async function linkAt(path: string, target: string, isLast: boolean): Promise<string | undefined> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) return await readlink(path);
    if (found.isDirectory()) return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw notThere(target, code === 'ENOENT' ? 'make it first (mkdir)' : message);
  }
  if (isLast) {
    throw new Fault(
      'invalid',
      'mountpoint-is-file',
      `${target} is no folder: an image is mounted on a folder`,
      {
        fields: { target },
      },
    );
  }
  throw notThere(target, `${path} is no folder`);
}

function notThere(target: string, why: string): Fault {
  return new Fault('not-found', 'no-mountpoint', `${target} is not there: ${why}`, { fields: { target } });
}

function alreadyMounted(target: string): Fault {
  return new Fault('exists', 'already-mounted', `an image is mounted at ${target} already`, {
    fields: { target },
  });
}

function inImage(target: string, mount: string): Fault {
  return new Fault(
    'invalid',
    'mountpoint-in-image',
    `${target} lies in the image that is mounted at ${mount}: mount on a folder outside of it`,
    { fields: { target, mount } },
  );
}
