import type { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import type { NamedLink } from './directory-dag.ts';

/** Verified bytes of a block that is here, or `undefined`. */
export type GetBlock = (cid: CID) => Uint8Array | undefined;

export type Lookup =
  | { readonly kind: 'found'; readonly link: NamedLink }
  | { readonly kind: 'absent' }
  /** Fetch this block, then look up again. */
  | { readonly kind: 'needs-block'; readonly cid: CID };

/**
 * Finds a name in a plain or sharded directory.
 * @throws Fault `corrupt/bad-node`, `invalid/not-a-directory` (fields: block)
 */
export function lookupLink(_root: CID, _name: string, _get: GetBlock): Lookup {
  throw new Fault('internal', 'unfinished', 'lookupLink');
}

/** Yields the CID of each block it needs, is fed its bytes by `next(bytes)`, returns the answer. */
export type BlockWalk<T> = Generator<CID, T, Uint8Array>;

/** All links of a plain or sharded directory, sorted by the bytes of their names. */
export function* directoryLinks(_root: CID): BlockWalk<NamedLink[]> {
  throw new Fault('internal', 'unfinished', 'directoryLinks');
}

/** Runs a walk over blocks that are here. @throws Fault `not-found/no-block` (fields: block) at the first that is not */
export function runWalk<T>(walk: BlockWalk<T>, get: GetBlock): T {
  let step = walk.next(new Uint8Array(0));
  while (!step.done) {
    const bytes = get(step.value);
    if (bytes === undefined) {
      throw new Fault('not-found', 'no-block', `block ${step.value} is not here`, {
        fields: { block: step.value.toString() },
      });
    }
    step = walk.next(bytes);
  }
  return step.value;
}
