import { digestHex } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import type { ImageQuery, Resolution } from '../swarm/image-query.ts';
import type { Swarm } from '../swarm/swarm.ts';
import { parseImageReference } from './image-reference.ts';
import type { PulledTree } from './pull-tree.ts';

/** Somebody else said what the digits stand for. */
export function isShortId(reference: string, resolution: Resolution): boolean {
  const { length } = reference.replace(/^sha256:/, '');
  return length < 64 && resolution.peers.length > 0 && isById(reference, resolution);
}

/** By digits, or by a name with the digest. */
export function isById(reference: string, { digest }: Resolution): boolean {
  if (digest === undefined) return false;
  return digestHex(digest).startsWith(reference.replace(/^sha256:/, '')) || reference.endsWith(`@${digest}`);
}

/**
 * Finds what a user names. Hex digits may also be a name.
 * @throws Fault `invalid/bad-reference` and those of `Swarm.resolve`
 */
export async function resolveReference(
  swarm: Swarm,
  options: { readonly reference: string; readonly from?: string; readonly signal: AbortSignal },
): Promise<Resolution> {
  const query = parseImageReference(options.reference);
  const asked = { signal: options.signal, ...(options.from === undefined ? {} : { from: options.from }) };
  if (query.kind !== 'id') return swarm.resolve(query, asked);
  try {
    return await swarm.resolve(query, asked);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'unknown-image' || query.prefix.length === 64)
      throw error;
    const byName: ImageQuery = { kind: 'name', name: options.reference };
    return swarm.resolve(byName, asked).catch(() => {
      throw error;
    });
  }
}

/** The publisher's names, of which the resolution has those of believed stations only; of what is here they stand. */
export function recordedNames(resolution: Resolution): readonly string[] {
  return resolution.peers.length > 0 ? resolution.names : [];
}

/** What the line of a pull prints. */
export function addressOf(
  tree: Pick<PulledTree, 'path' | 'imageRoot'>,
  { publishedRoot, path }: Pick<Resolution, 'publishedRoot' | 'path'>,
): string {
  const root = publishedRoot ?? tree.path[0] ?? tree.imageRoot;
  return ['/ipfs', root, ...path].join('/');
}
