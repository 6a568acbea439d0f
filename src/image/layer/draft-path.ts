/** Names of a path as one character a byte (see `latin1`), cleaned lexically as Go's filepath.Clean does. */
export type PathNames = string[];

/**
 * @returns `undefined` where the path leaves the root. `/..` does not: it is `/` (filepath.Clean of a rooted path).
 */
export function cleanPath(path: string): PathNames | undefined {
  const rooted = path.startsWith('/');
  const names: PathNames = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined && !rooted) return undefined;
  }
  return names;
}

/** A hard link's target: both engines join it to the root first, so that `..` stops there. */
export function cleanTarget(path: string): PathNames {
  return cleanPath(`/${path}`) as PathNames;
}
