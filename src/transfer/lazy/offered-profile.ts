import { CID } from 'multiformats/cid';
import { toFault } from '../../base/fault.ts';
import { decodeProfile } from '../../image/profile/profile-codec.ts';
import { PROFILE_LIMITS, type StartUpProfile } from '../../image/profile/start-up-profile.ts';
import type { CatalogueProfile } from '../../swarm/catalogue/catalogue.ts';
import type { HeldImage } from '../../swarm/image-query.ts';
import type { TransferComponents } from '../transfer-components.ts';

/** A profile that somebody offered: a hint from anybody, checked for its form alone. */
export interface OfferedProfile {
  readonly profile: StartUpProfile;
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** Looks for the start-up profile of an image beside its opening, so that none of it is waited for. */
export interface OfferedProfiles {
  /** Asks for these at once, before it is known which manifest is meant. */
  offer(profiles: readonly CatalogueProfile[]): void;
  /** Asks stations by what the image is called, before it is known which one is meant. */
  ask(name: string): void;
  /** The one of a manifest root. Never rejects. @param ask stations, where none was offered: nobody was asked for it before */
  find(root: string, image: HeldImage, ask: boolean): Promise<OfferedProfile | undefined>;
}

/** Platforms whose profiles are asked for on suspicion. */
const MAX_OFFERS = 4;

export function createOfferedProfiles(
  { store, swarm, logger }: TransferComponents,
  signal: AbortSignal,
): OfferedProfiles {
  const asked = new Map<string, Promise<OfferedProfile | undefined>>();

  const bring = async (profile: string): Promise<OfferedProfile | undefined> => {
    try {
      const cid = CID.parse(profile);
      const here = await store.blocks.get(cid);
      const bytes = here ?? (await swarm.fetcher.block(cid, { signal }));
      return { profile: decodeProfile(bytes), cid, bytes };
    } catch (error) {
      const { code, message } = toFault(error);
      logger.info({ profile, code, reason: message }, 'a start-up profile that was offered is of no use');
      return undefined;
    }
  };
  const offer = (profiles: readonly CatalogueProfile[]): void => {
    for (const { root, profile, size } of profiles.slice(0, MAX_OFFERS)) {
      if (!asked.has(root) && size <= PROFILE_LIMITS.bytes) asked.set(root, bring(profile));
    }
  };

  let asking: Promise<void> | undefined;

  return {
    offer,
    ask(name) {
      asking = swarm.profiles({ name }, signal).then(offer, () => {});
    },
    async find(root, image, ask) {
      await asking;
      if (ask && !asked.has(root)) {
        const named = await swarm.profiles(image, signal).catch(() => []);
        offer(named.filter((one) => one.root === root));
      }
      const found = await asked.get(root);
      return found?.profile.root === root ? found : undefined;
    },
  };
}
