import { Fault } from '../../base/fault.ts';

/**
 * A path inside an image archive without `.`, empty and `..` parts and without a slash at either end.
 * @throws Fault `invalid/archive-path` where it is empty or leaves the archive
 */
export function cleanArchivePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw badPath(path);
  }
  if (parts.length === 0 || path.includes('\0')) throw badPath(path);
  return parts.join('/');
}

/** Where a symlink at `linkPath` of an archive points to: `docker save` wrote layers it had saved already as links. */
export function resolveArchiveLink(linkPath: string, target: string): string {
  const folder = linkPath.split('/').slice(0, -1).join('/');
  return cleanArchivePath(target.startsWith('/') || folder === '' ? target : `${folder}/${target}`);
}

function badPath(path: string): Fault {
  const shown = path.slice(0, 256);
  return new Fault('invalid', 'archive-path', `not a path inside the archive: ${JSON.stringify(shown)}`, {
    fields: { path: shown },
  });
}
