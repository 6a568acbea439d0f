import type { ImageProfile } from '../../store/image-records.ts';
import type { Store } from '../../store/store.ts';
import type { LazySession } from './lazy-session.ts';
import type { OfferedProfile } from './offered-profile.ts';
import { profileFacts, profileLeaves } from './profile-facts.ts';

/**
 * Asks for all that a start-up profile lists, in its order and in one batch.
 * @param onUsed it fits the image, and is asked for
 * @returns the profile as a record names it, stored; `undefined` where it is of another image
 * @throws Fault of `BlockFetcher.fetch`
 */
export async function fetchProfile(
  store: Store,
  session: LazySession,
  { profile, cid, bytes }: OfferedProfile,
  { onUsed, signal }: { readonly onUsed: () => void; readonly signal: AbortSignal },
): Promise<ImageProfile | undefined> {
  const indexes = profileLeaves(profile, session);
  if (indexes === undefined) return undefined;
  onUsed();
  await session.targets.lookUp(indexes);
  const missing = indexes.filter((index) => !session.targets.has(index));
  if (missing.length > 0) await session.fetch(missing, { wantClass: 'profile', signal });
  store.blocks.put(session.lease, cid, bytes);
  return {
    ...profileFacts(profile, session.layers),
    profile: cid.toString(),
    size: bytes.length,
    source: 'catalogue',
    recorded: [],
  };
}
