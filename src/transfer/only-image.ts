import type { CID } from 'multiformats/cid';
import { directoryLinks, type GetBlock, runWalk } from '../image/dag/directory-walk.ts';
import { readImageRoot } from '../image/dag/image-roots.ts';

const MAX_NAMES = 4096;
/** Directories that the slashes of a name make. */
const MAX_DEPTH = 16;

/**
 * The one image that all names of a published root lead to.
 * @returns `undefined` where `root` is an image root itself, lists several images or something else, or where blocks
 *   of it are not here
 */
export function onlyImage(root: CID, get: GetBlock): CID | undefined {
  if (isImageRoot(root, get)) return undefined;
  const images = new Map<string, CID>();
  let names = 0;
  const walk = (directory: CID, depth: number): boolean =>
    runWalk(directoryLinks(directory, { maxLinks: MAX_NAMES }), get).every(({ cid }) => {
      names++;
      if (names > MAX_NAMES || depth > MAX_DEPTH) return false;
      if (!isImageRoot(cid, get)) return walk(cid, depth + 1);
      images.set(cid.toString(), cid);
      return true;
    });
  try {
    const whole = walk(root, 0);
    const [image] = images.values();
    return whole && images.size === 1 ? image : undefined;
  } catch {
    return undefined;
  }
}

function isImageRoot(root: CID, get: GetBlock): boolean {
  try {
    readImageRoot(root, get);
    return true;
  } catch {
    return false;
  }
}
