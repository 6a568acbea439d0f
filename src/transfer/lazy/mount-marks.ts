import { Fault, toFault } from '../../base/fault.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Store } from '../../store/store.ts';
import { asLazyDraft, draftOfPinned, findPinned } from './lazy-draft.ts';
import type { LazyImage } from './lazy-image.ts';

/** Which images are mounted, over restarts: a draft keeps each, whatever becomes of its record. */
export interface MountMarks {
  has(key: string): boolean;
  keys(): readonly string[];
  /** Takes over what the last run left. */
  restore(key: string): void;
  set(key: string, mounted: boolean, image: LazyImage | undefined): void;
  /** The image is pinned now: its draft goes, or stands for the mount. */
  pinned(key: string): Promise<void>;
  /** @throws Fault `busy/image-mounted` (fields: image) */
  checkUnused(imageRoot: string): void;
  /** All marks are durable. */
  settled(): Promise<void>;
}

export function createMountMarks(store: Store, logger: Logger): MountMarks {
  const mounted = new Set<string>();
  let writing: Promise<void> = Promise.resolve();

  const write = (work: () => Promise<unknown>): Promise<void> => {
    writing = writing.then(async () => {
      try {
        await work();
      } catch (error) {
        const { code, message } = toFault(error);
        logger.error({ code, reason: message }, 'a mount could not be noted');
      }
    });
    return writing;
  };
  const keepPinned = async (key: string): Promise<void> => {
    const draft = draftOfPinned(store, key);
    if (!mounted.has(key) || draft === undefined) await store.drafts.remove(key);
    else await store.drafts.put({ ...draft, memo: { ...draft.memo, mounted: true } });
  };
  const rootOf = (key: string): string | undefined => {
    const draft = store.drafts.get(key);
    return draft === undefined ? findPinned(store, key)?.record.root : asLazyDraft(draft).record.root;
  };

  return {
    has: (key) => mounted.has(key),
    keys: () => [...mounted],
    restore: (key) => {
      mounted.add(key);
    },
    set(key, isMounted, image) {
      if (isMounted) mounted.add(key);
      else mounted.delete(key);
      void write(() => (image === undefined || image.done ? keepPinned(key) : image.setMounted(isMounted)));
    },
    pinned: (key) => write(() => keepPinned(key)),
    checkUnused(imageRoot) {
      for (const key of mounted) {
        if (rootOf(key) !== imageRoot) continue;
        throw new Fault('busy', 'image-mounted', `image ${imageRoot} is mounted: dkr-shp umount it first`, {
          fields: { image: imageRoot, key },
        });
      }
    },
    settled: () => writing,
  };
}
