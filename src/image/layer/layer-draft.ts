import { Fault } from '../../base/fault.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import type { LayerEntries } from './layer-entries.ts';
import type { LayerLimits } from './layer-limits.ts';

/** A file's content as it was hashed; everything is copied. */
export interface DraftObject {
  /** 32 bytes: sha2-256 of its UnixFS root. */
  readonly hash: Uint8Array;
  /** Logical bytes. */
  readonly size: number;
  /** 32 bytes a leaf; needed where there is more than one. */
  readonly leaves?: Uint8Array;
}

/** Takes a tar's entries in order and ends with what an engine would have on disk. */
export interface LayerDraft {
  /**
   * @param entry valid during the call only
   * @param object needed for kind `file` (for whiteouts too it may be given: it is not kept)
   * @throws Fault `invalid/path-leaves-root`, `invalid/parent-not-directory`, `invalid/symlink-loop`,
   *   `invalid/bad-whiteout`, `invalid/hardlink-to-directory`, `invalid/hardlink-to-itself`, `invalid/bad-name`,
   *   `invalid/name-too-long`, `invalid/path-too-long`, `invalid/link-too-long`, `invalid/too-many-entries`,
   *   `invalid/xattrs-too-big` (fields: entry)
   */
  add(entry: TarEntry, object?: DraftObject): void;
  /** All entries were added; the draft is used up. */
  finish(): LayerEntries;
}

export function createLayerDraft(_limits: LayerLimits): LayerDraft {
  throw new Fault('internal', 'unfinished', 'createLayerDraft');
}
