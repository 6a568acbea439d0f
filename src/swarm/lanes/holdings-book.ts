import type { CID } from 'multiformats/cid';
import type { ImageRecords } from '../../store/image-records.ts';
import type { Holdings, HoldingsTrack } from '../block-fetcher.ts';

/** What is here of a manifest root: everything, some of it by plan index (live, not to be changed), or nothing. */
export type Holding = 'all' | 'none' | Uint8Array;

/** {@link Holdings} as the block server reads them. */
export interface HoldingsBook extends Holdings {
  /** @param root text of the manifest root's CID */
  holding(root: string): Holding;
  /** Told when a root's holding may have changed. Returns the unsubscribe. */
  onChange(root: string, listener: () => void): () => void;
}

export interface HoldingsComponents {
  /** Complete manifest roots: those of shared images. */
  readonly images: ImageRecords;
}

/**
 * Complete and shared roots are known from the image records, those on their way from the tracks. A pull whose blocks
 * are not shared has no track: peers would be told of blocks that they are then refused.
 */
export function createHoldingsBook({ images }: HoldingsComponents): HoldingsBook {
  const tracks = new Map<string, Set<Uint8Array>>();
  const listeners = new Map<string, Set<() => void>>();
  let complete: Set<string> | undefined;

  const tell = (root: string): void => {
    for (const listener of listeners.get(root) ?? []) listener();
  };
  images.onChange(() => {
    complete = undefined;
    for (const root of listeners.keys()) tell(root);
  });
  const completeRoots = (): Set<string> => {
    if (complete === undefined) {
      complete = new Set();
      for (const image of images.all()) {
        if (!image.shared) continue;
        for (const manifest of image.manifests) complete.add(manifest.root);
      }
    }
    return complete;
  };

  return {
    holding(root) {
      if (completeRoots().has(root)) return 'all';
      const [first] = tracks.get(root) ?? [];
      return first ?? 'none';
    },
    onChange(root, listener) {
      const of = listeners.get(root) ?? new Set();
      of.add(listener);
      listeners.set(root, of);
      return () => {
        of.delete(listener);
        if (of.size === 0 && listeners.get(root) === of) listeners.delete(root);
      };
    },
    track(cid: CID, bitmap: Uint8Array): HoldingsTrack {
      const root = cid.toString();
      const of = tracks.get(root) ?? new Set();
      of.add(bitmap);
      tracks.set(root, of);
      tell(root);
      return {
        changed: () => tell(root),
        end() {
          if (!of.delete(bitmap)) return;
          if (of.size === 0) tracks.delete(root);
          tell(root);
        },
      };
    },
  };
}
