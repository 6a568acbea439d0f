import type { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import type { NamedLink } from '../image/dag/directory-dag.ts';
import { directoryLinks } from '../image/dag/directory-walk.ts';
import { DAG_PB_CODEC } from '../image/dag/file-dag.ts';

const MAX_NAMES = 4096;
/** Directories that the slashes of names make. */
const MAX_DIRECTORIES = 256;
const MAX_DEPTH = 16;

/** A block from here or from a peer, stored. @throws Fault where nobody gives it */
export type ReadBlock = (cid: CID) => Promise<Uint8Array>;

/**
 * Whether all that a published root lists is this image; its directories are here then. Only such a root is pinned
 * with the image: one that lists other things too would pin what is not here.
 */
export async function publishesOnly(published: CID, imageRoot: CID, read: ReadBlock): Promise<boolean> {
  const waiting = [{ cid: published, depth: 0 }];
  let names = 0;
  try {
    for (let at = 0; at < waiting.length; at++) {
      const { cid, depth } = waiting[at] as (typeof waiting)[number];
      if (cid.code !== DAG_PB_CODEC || depth > MAX_DEPTH || waiting.length > MAX_DIRECTORIES) return false;
      for (const link of await readLinks(cid, read)) {
        names++;
        if (names > MAX_NAMES) return false;
        if (!link.cid.equals(imageRoot)) waiting.push({ cid: link.cid, depth: depth + 1 });
      }
    }
    return names > 0;
  } catch (error) {
    if (error instanceof Fault && error.kind !== 'cancelled' && error.kind !== 'internal') return false;
    throw error;
  }
}

async function readLinks(directory: CID, read: ReadBlock): Promise<NamedLink[]> {
  const walk = directoryLinks(directory, { maxLinks: MAX_NAMES });
  let step = walk.next();
  while (!step.done) step = walk.next(await read(step.value));
  return step.value;
}
