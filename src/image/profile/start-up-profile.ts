/** Leaves `[first, end)` of an object: numbers as the layer indexes of a manifest root count them. */
export interface LeafRange {
  /** From the bottom. */
  readonly layer: number;
  /** In the layer's index. */
  readonly object: number;
  readonly first: number;
  readonly end: number;
}

/** What of an image's content is used first, in the order of first use. */
export interface StartUpProfile {
  /** CID of the manifest root whose content it lists. */
  readonly root: string;
  /** Runs that it was merged from, 1 .. 64. */
  readonly runs: number;
  readonly ranges: readonly LeafRange[];
}

/** Larger ones are neither written nor read. */
export const PROFILE_LIMITS = {
  bytes: 64 * 1024,
  ranges: 4096,
  runs: 64,
  layers: 4096,
  objects: 2 ** 24,
  leaves: 2 ** 24,
} as const;
