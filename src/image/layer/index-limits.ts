/** What a layer index may hold at most; a longer one is refused before anything is allocated for it. */
export interface IndexLimits {
  /** Entries, the root directory included. */
  readonly entries: number;
  /** Bytes of the whole index. */
  readonly bytes: number;
  /** Bytes of all distinct sets of extended attributes. */
  readonly xattrBytes: number;
}

/** About ten times the largest images known; 512 MiB hold the leaf hashes of 4 TiB. */
export const DEFAULT_INDEX_LIMITS: IndexLimits = {
  entries: 4_000_000,
  bytes: 512 * 1024 * 1024,
  xattrBytes: 64 * 1024 * 1024,
};
