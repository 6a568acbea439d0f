import { CID } from 'multiformats/cid';
import { sha256 } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { rawCid } from '../../image/dag/file-dag.ts';
import { mergeProfiles } from '../../image/profile/merge-profiles.ts';
import { decodeProfile, encodeProfile } from '../../image/profile/profile-codec.ts';
import type { LeafRange, StartUpProfile } from '../../image/profile/start-up-profile.ts';
import type { ImageProfile, ImageRecord, ManifestRecord } from '../../store/image-records.ts';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { openLayers } from './lazy-session.ts';
import { fitsLayers, profileFacts } from './profile-facts.ts';
import type { Profiles, ProfileView } from './profiles.ts';

/** The record in which an image's profile stands, whether it is pinned or still comes. */
export interface ProfileHome {
  readonly record: ImageRecord;
  readonly manifest: ManifestRecord;
  /** Durable when it resolves. */
  setProfile(profile: ImageProfile | undefined): Promise<void>;
}

export interface ProfileBook extends Profiles {
  /** Whether another run of it is of use: fewer than `maxRuns` were recorded, and nobody gave a profile. */
  wantsRun(key: string): boolean;
  /** Takes a run that was recorded, and merges it with those before. */
  addRun(key: string, ranges: readonly LeafRange[]): Promise<void>;
}

export function createProfileBook(
  store: Store,
  options: { readonly maxRuns: number; readonly find: (key: string) => ProfileHome | undefined },
): ProfileBook {
  const { maxRuns, find } = options;

  const known = (key: string): ImageProfile | undefined =>
    find(key)?.record.profiles?.find(({ root }) => root === key);
  const home = (key: string): ProfileHome => {
    const found = find(key);
    if (found !== undefined) return found;
    throw new Fault('not-found', 'unknown-image', `no image with the manifest root ${key} is here`, {
      fields: { image: key },
    });
  };
  const bytesOf = async (cid: string): Promise<Uint8Array> => {
    const bytes = await store.blocks.get(CID.parse(cid));
    if (bytes !== undefined) return bytes;
    throw new Fault('not-found', 'no-profile', `the start-up profile ${cid} is not here`, {
      fields: { block: cid },
    });
  };
  const put = (lease: Lease, bytes: Uint8Array): string => {
    const cid = rawCid(sha256(bytes));
    store.blocks.put(lease, cid, bytes);
    return cid.toString();
  };

  /** Stores a profile and names it in the image's record. */
  const keep = async (
    { record, manifest, setProfile }: ProfileHome,
    make: (
      lease: Lease,
    ) => Promise<{ profile: StartUpProfile; source: ImageProfile['source']; recorded: string[] }>,
  ): Promise<ImageProfile> => {
    const layers = await openLayers(store, manifest);
    const lease = store.lease('read', { shared: record.shared });
    try {
      const { profile, source, recorded } = await make(lease);
      if (!fitsLayers(profile.ranges, layers)) throw foreign(manifest.root);
      const bytes = encodeProfile(profile);
      const kept: ImageProfile = {
        ...profileFacts(profile, layers),
        profile: put(lease, bytes),
        size: bytes.length,
        source,
        recorded,
      };
      await setProfile(kept);
      return kept;
    } finally {
      lease.end();
    }
  };

  return {
    wantsRun(key) {
      const profile = known(key);
      return profile === undefined || (profile.source === 'recorded' && profile.recorded.length < maxRuns);
    },
    async addRun(key, ranges) {
      if (ranges.length === 0) return;
      await keep(home(key), async (lease) => {
        const run = { root: key, runs: 1, ranges: mergeProfiles([ranges]) };
        const before = known(key)?.recorded ?? [];
        const recorded = [...before, put(lease, encodeProfile(run))].slice(-maxRuns);
        const runs: StartUpProfile[] = [];
        for (const cid of recorded) runs.push(decodeProfile(await bytesOf(cid)));
        const merged = mergeProfiles(runs.map((one) => one.ranges));
        return { profile: { root: key, runs: runs.length, ranges: merged }, source: 'recorded', recorded };
      });
    },
    profile(key) {
      const profile = known(key);
      return profile && viewOf(profile);
    },
    async exportProfile(key) {
      return bytesOf((known(key) ?? missing(key)).profile);
    },
    async importProfile(key, bytes) {
      const profile = decodeProfile(bytes);
      if (profile.root !== key) throw foreign(key, profile.root);
      return viewOf(await keep(home(key), async () => ({ profile, source: 'imported', recorded: [] })));
    },
    async forgetProfile(key) {
      if (known(key) === undefined) missing(key);
      await home(key).setProfile(undefined);
    },
  };
}

function viewOf({ root, source, profile, ranges, bytes, runs }: ImageProfile): ProfileView {
  return { key: root, source, profile, ranges, bytes, runs };
}

function missing(key: string): never {
  throw new Fault('not-found', 'no-profile', `image ${key} has no start-up profile`, {
    fields: { image: key },
  });
}

function foreign(key: string, found?: string): Fault {
  const of = found === undefined ? 'its numbers are none of this image' : `it is one of ${found}`;
  return new Fault('corrupt', 'bad-profile', `this is no start-up profile of ${key}: ${of}`, {
    fields: { image: key, ...(found === undefined ? {} : { found }) },
  });
}
