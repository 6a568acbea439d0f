import type { ImageRecords } from '../../store/image-records.ts';
import type { Holdings } from '../block-fetcher.ts';

/** What is here of a manifest root: everything, some of it by plan index (live, not to be changed), or nothing. */
export type Holding = 'all' | 'none' | Uint8Array;

/** {@link Holdings} as the block server reads them. */
export interface HoldingsBook extends Holdings {
  /** @param root text of the manifest root's CID */
  holding(root: string): Holding;
  /** Told when a root's holding may have changed. Returns the unsubscribe. */
  onChange(root: string, listener: () => void): () => void;
}

/** Complete and shared roots are known from the image records, those on their way from the tracks. */
export function createHoldingsBook(_components: { readonly images: ImageRecords }): HoldingsBook {
  throw new Error('unfinished');
}
