import { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import { parseImageCommand } from '../../image/oci/image-command.ts';
import { recordedNames } from '../pull-resolution.ts';
import type { TransferComponents, TransferSettings } from '../transfer-components.ts';
import { draftOfPinned, type LazyDraft, mountableOf } from './lazy-draft.ts';
import { LazyImage, type LazySurroundings } from './lazy-image.ts';
import type { LazyOpenOptions, MountableImage } from './lazy-images.ts';
import { type LocatedImage, locateImage, takeImage } from './lazy-open.ts';
import { createOfferedProfiles, type OfferedProfile } from './offered-profile.ts';

export interface OpeningComponents {
  readonly components: TransferComponents;
  readonly settings: TransferSettings;
  readonly around: LazySurroundings;
  /** By manifest root: what is under way. */
  readonly images: Map<string, LazyImage>;
  /** Ends what outlives the opening. */
  readonly stopping: AbortSignal;
}

/** Images under way at one time: each may hold its plan in memory. */
const MAX_IMAGES = 256;

/** Opens an image that is not under way yet; see `LazyImages.open`. */
export async function openImage(
  { components, settings, around, images, stopping }: OpeningComponents,
  options: LazyOpenOptions,
): Promise<MountableImage> {
  const { store } = components;
  const offered = createOfferedProfiles(components, stopping);
  const lease = store.lease('read', { shared: settings.share === 'pulled' });
  let owned = true;
  try {
    const located = await locateImage(components, settings, lease, { options, offered });
    const known = await knownImage(located);
    if (known !== undefined) return known;
    const { resolution, manifest, opened } = located;
    const found = { digest: manifest.digest, root: opened.tree.imageRoot.toString() };
    // beside what is to be made of the indexes
    const profile = offered.find(manifest.root.toString(), found, resolution.peers.length === 0);
    const { draft, layers } = await takeImage(components, lease, located, options.reference);
    // another opening of it may have been quicker
    const meanwhile = await knownImage(located);
    if (meanwhile !== undefined) return meanwhile;
    if (images.size >= MAX_IMAGES) throw tooMany();
    const image = new LazyImage(draft, around);
    image.adopt(image.sessionOf(layers, lease));
    owned = false;
    images.set(draft.key, image);
    await start(image, draft, profile, located.manifest);
    return image.mountable();
  } finally {
    if (owned) lease.end();
  }

  /** What is whole here or under way already. */
  async function knownImage({
    manifest,
    resolution,
    address,
  }: LocatedImage): Promise<MountableImage | undefined> {
    const key = manifest.root.toString();
    const image = images.get(key);
    if (image !== undefined) {
      image.checkSound();
      await image.join({ names: recordedNames(resolution) });
      return image.mountable();
    }
    const pinned = draftOfPinned(store, key);
    if (pinned === undefined) return undefined;
    return { ...mountableOf(pinned, true), address };
  }

  async function start(
    image: LazyImage,
    { key, memo }: LazyDraft,
    profile: Promise<OfferedProfile | undefined>,
    { documents }: LocatedImage['manifest'],
  ): Promise<void> {
    const readable = memo.indexes.map((index) => store.objects.readable(CID.parse(index)));
    const here = Promise.all([image.persist(), ...readable]);
    // the indexes' first turn belongs to who waits for them
    image.begin(profile, {
      opened: here,
      command: parseImageCommand(documents[1] as Uint8Array),
    });
    try {
      const [, ...written] = await here;
      if (written.includes(false)) await store.objects.drained(lease);
    } catch (error) {
      images.delete(key);
      await image.discard();
      await store.drafts.remove(key);
      throw error;
    }
  }
}

function tooMany(): Fault {
  return new Fault(
    'busy',
    'too-many-lazy-images',
    `${MAX_IMAGES} images are on their way already: wait for some, or dkr-shp rm them`,
  );
}
