/** What one layer's tar may hold at most, against bombs. */
export interface LayerLimits {
  /** Entries, implied directories and the root included. */
  readonly entries: number;
  /** Bytes of a link's target. */
  readonly linkBytes: number;
  /** Bytes of the names and values of one entry's extended attributes. */
  readonly entryXattrBytes: number;
  /** Bytes of all distinct sets of extended attributes. */
  readonly xattrBytes: number;
}

export const DEFAULT_LAYER_LIMITS: LayerLimits = {
  entries: 4_000_000,
  linkBytes: 4095,
  entryXattrBytes: 256 * 1024,
  xattrBytes: 64 * 1024 * 1024,
};
