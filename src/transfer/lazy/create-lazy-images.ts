import { toFault } from '../../base/fault.ts';
import type { TransferComponents, TransferSettings } from '../transfer-components.ts';
import { createPacer } from './background-fetch.ts';
import { openImage } from './image-opening.ts';
import { createJoinedWork } from './joined-work.ts';
import {
  asLazyDraft,
  draftOfPinned,
  findPinned,
  type LazyDraft,
  manifestOf,
  mountableOf,
} from './lazy-draft.ts';
import { LazyImage, type LazySurroundings } from './lazy-image.ts';
import type { LazyImages, LazyOpenOptions, LazyView, MountableImage } from './lazy-images.ts';
import type { LazySettings } from './lazy-settings.ts';
import { createMountMarks } from './mount-marks.ts';
import { createOfferedProfiles } from './offered-profile.ts';
import { readPinned } from './pinned-object.ts';
import { createProfileBook, type ProfileHome } from './profile-book.ts';
import { createProfileRecorder } from './profile-recorder.ts';
import type { Profiles } from './profiles.ts';
import { createTurns } from './turns.ts';

/** See {@link LazyImages}; `resume` is to be called once the swarm runs. */
export function createLazyImages(
  components: TransferComponents,
  settings: TransferSettings & LazySettings,
): LazyImages & { readonly profiles: Profiles } {
  const { store, logger, clock } = components;
  const images = new Map<string, LazyImage>();
  /** Complete images that were lazy or mounted since the start. */
  const finished = new Map<string, LazyView>();
  const listeners = new Set<(key: string) => void>();
  const stopping = new AbortController();
  const opening = createJoinedWork<MountableImage>();
  const marks = createMountMarks(store, logger);
  let profiling: Promise<void> = Promise.resolve();

  const tell = (key: string): void => {
    for (const listener of [...listeners]) listener(key);
  };
  const around: LazySurroundings = {
    components,
    settings,
    pacer: createPacer(settings.backgroundRate, clock.monotonic),
    verifyTurn: createTurns(),
    async completed(image) {
      const { key } = image;
      if (images.get(key) !== image) return;
      await image.settled();
      await marks.pinned(key);
      images.delete(key);
      const { why: _why, ...view } = image.view(recorder.recording(key));
      finished.set(key, { ...view, here: view.bytes, state: 'complete' });
      logger.info({ image: image.draft.record.root, key }, 'a lazy image is complete');
      tell(key);
    },
    quarantined: ({ key }) => tell(key),
  };

  const profileHome = (key: string): ProfileHome | undefined => {
    const image = images.get(key);
    const pinned = findPinned(store, key);
    if (image !== undefined && pinned === undefined) {
      const { draft } = image;
      return {
        record: draft.record,
        manifest: manifestOf(draft),
        setProfile: (profile) => image.setProfile(profile),
      };
    }
    if (pinned === undefined) return undefined;
    return {
      ...pinned,
      async setProfile(profile) {
        const record = store.images.get(pinned.record.root) ?? pinned.record;
        const others = (record.profiles ?? []).filter(({ root }) => root !== key);
        await store.images.put({
          ...record,
          profiles: profile === undefined ? others : [...others, profile],
        });
      },
    };
  };
  const book = createProfileBook(store, { maxRuns: settings.profileRuns, find: profileHome });
  const recorder = createProfileRecorder(settings.profileWindowMs, (key, ranges) => {
    profiling = profiling
      .then(() => book.addRun(key, ranges))
      .catch((error) => {
        const { code, message } = toFault(error);
        logger.warn({ key, code, reason: message }, 'a start-up profile was not kept');
      });
    tell(key);
  });

  /** An image under way by what a user calls it. */
  const findLazy = (name: string, platform?: string): LazyImage | undefined => {
    const id = name.replace(/^sha256:/, '');
    return [...images.values()].find(({ key, draft }) => {
      const { imageId, digest, platform: own } = manifestOf(draft);
      if (platform !== undefined && platform !== own) return false;
      if ([key, draft.record.root, `/ipfs/${draft.record.root}`, draft.memo.address].includes(name))
        return true;
      if (draft.memo.reference === name || draft.record.names.includes(name)) return true;
      return /^[0-9a-f]{6,64}$/.test(id) && [imageId, digest].some((one) => one.startsWith(`sha256:${id}`));
    });
  };
  const openAnew = (options: LazyOpenOptions): Promise<MountableImage> =>
    openImage({ components, settings, around, images, stopping: stopping.signal }, options);

  const unsubscribe = store.images.onChange(() => {
    for (const image of images.values()) {
      if (findPinned(store, image.key) !== undefined) void image.pinned();
    }
  });

  const resumeOne = async (draft: LazyDraft): Promise<void> => {
    const { key, memo, record } = draft;
    if (memo.mounted) marks.restore(key);
    if (findPinned(store, key) !== undefined) {
      await marks.pinned(key);
      return;
    }
    const image = new LazyImage(draft, around);
    images.set(key, image);
    const offered = createOfferedProfiles(components, stopping.signal);
    offered.offer(record.profiles ?? []);
    image.begin(offered.find(key, { digest: manifestOf(draft).digest, root: record.root }, true));
  };

  return {
    profiles: book,
    async open(options) {
      const { reference, platform, from, signal } = options;
      const known = from === undefined ? findLazy(reference, platform ?? settings.platform) : undefined;
      if (known !== undefined) {
        known.checkSound();
        await known.settled();
        return known.mountable();
      }
      const key = JSON.stringify([reference, platform, from]);
      return opening.run(key, signal, (joined) => openAnew({ ...options, signal: joined }));
    },
    get(key) {
      const image = images.get(key);
      if (image !== undefined) return image.isOpen() ? image.mountable() : undefined;
      const pinned = draftOfPinned(store, key);
      return pinned && mountableOf(pinned, true);
    },
    list() {
      const views = [...images.values()].map((image) => image.view(recorder.recording(image.key)));
      for (const key of [...finished.keys()]) if (findPinned(store, key) === undefined) finished.delete(key);
      return [...views, ...finished.values()];
    },
    async want(leaves, signal) {
      const image = images.get(leaves.key);
      return image === undefined ? readPinned(store, leaves) : image.want(leaves, signal);
    },
    touched: (key, ranges) => recorder.touched(key, ranges),
    recording(key) {
      if (!settings.recordProfiles) return false;
      return recorder.recording(key) || (!marks.has(key) && book.wantsRun(key));
    },
    used(key, mounted) {
      if (mounted && settings.recordProfiles && book.wantsRun(key)) recorder.begin(key);
      if (!mounted) recorder.end(key);
      const image = images.get(key);
      const pinned = image === undefined ? findPinned(store, key) : undefined;
      if (pinned !== undefined && !finished.has(key)) finished.set(key, viewOfPinned(key, pinned.record));
      marks.set(key, mounted, image);
    },
    mounted: () => marks.keys(),
    checkUnused: (imageRoot) => marks.checkUnused(imageRoot),
    async remove(name) {
      const image = findLazy(name);
      if (image === undefined) return undefined;
      const { root } = image.draft.record;
      if (marks.has(image.key)) marks.checkUnused(root);
      images.delete(image.key);
      await marks.settled();
      await image.discard();
      await store.drafts.remove(image.key);
      return root;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async resume() {
      for (const draft of store.drafts.all()) await resumeOne(asLazyDraft(draft));
    },
    async stop() {
      unsubscribe();
      recorder.stop();
      stopping.abort();
      await Promise.all([...images.values()].map((image) => image.stop()));
      await profiling;
      await marks.settled();
    },
  };
}

function viewOfPinned(key: string, record: LazyDraft['record']): LazyView {
  const { root: imageRoot, names, contentSize, profiles } = record;
  return {
    key,
    imageRoot,
    names,
    bytes: contentSize,
    here: contentSize,
    state: 'complete',
    byPeer: {},
    profile: profiles?.some(({ root }) => root === key) ? 'here' : 'none',
    wireBytes: 0,
  };
}
