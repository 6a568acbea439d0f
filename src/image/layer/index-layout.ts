/**
 * The bytes of a layer index, little-endian. A header of {@link HEADER_SIZE} bytes, then the sections in the order
 * of {@link INDEX_SECTIONS}, each on an 8-byte boundary behind the last one, zeros between them. Typed arrays look
 * into it where it lies, so a decoded index costs 4 bytes an entry more than its bytes.
 *
 * | offset | |
 * |---|---|
 * | 0 | `shpindex` |
 * | 8 | u32 version |
 * | 12 | u32 number of sections |
 * | 16 | u32 each: entries, objects, links, devices, xattr sets; u32 zero |
 * | 40 | for each section u64 offset, u64 length |
 */
export const INDEX_MAGIC = new Uint8Array(Buffer.from('shpindex', 'latin1'));
export const INDEX_VERSION = 1;
export const COUNTS_OFFSET = 16;
export const TABLE_OFFSET = 40;

export interface IndexCounts {
  readonly entries: number;
  readonly objects: number;
  readonly links: number;
  readonly devices: number;
  readonly xattrSets: number;
}

/** The order of the counts in the header. */
export const COUNT_NAMES = ['entries', 'objects', 'links', 'devices', 'xattrSets'] as const;

/** @property length bytes of the section by the counts; `undefined` for a heap, whose length the table alone tells */
export interface IndexSection {
  readonly name: string;
  readonly length?: (counts: IndexCounts) => number;
}

export const INDEX_SECTIONS = [
  /** i64 seconds. */
  { name: 'mtime', length: (c) => c.entries * 8 },
  /** u64 bytes. */
  { name: 'objectSize', length: (c) => c.objects * 8 },
  /** u32, smaller than the entry's own number, never falling. */
  { name: 'parent', length: (c) => c.entries * 4 },
  /** u32, where in `names` an entry's name begins; one more at the end. So for every `...Offset`. */
  { name: 'nameOffset', length: (c) => (c.entries + 1) * 4 },
  { name: 'uid', length: (c) => c.entries * 4 },
  { name: 'gid', length: (c) => c.entries * 4 },
  { name: 'mtimeNanos', length: (c) => c.entries * 4 },
  /**
   * u32. file: object; symlink, and hard link to a lower layer: link; other hard links: the entry they stand for;
   * devices: device; else 0. Objects, links and devices are numbered in the order of their first entry.
   */
  { name: 'ref', length: (c) => c.entries * 4 },
  /** u32: 0 none, else 1 + set; sets are distinct and numbered in the order of their first entry. */
  { name: 'xattrSet', length: (c) => c.entries * 4 },
  { name: 'linkOffset', length: (c) => (c.links + 1) * 4 },
  /** u32 major, u32 minor. */
  { name: 'device', length: (c) => c.devices * 8 },
  { name: 'xattrOffset', length: (c) => (c.xattrSets + 1) * 4 },
  /** u16. */
  { name: 'mode', length: (c) => c.entries * 2 },
  /** u8, position in `ENTRY_KINDS`. */
  { name: 'kind', length: (c) => c.entries },
  /** u8, `FLAG_...`. */
  { name: 'flags', length: (c) => c.entries },
  { name: 'objectDigest', length: (c) => c.objects * 32 },
  /** 32 bytes a leaf of every object of more than one, in the order of objects. */
  { name: 'leaves' },
  { name: 'names' },
  { name: 'links' },
  { name: 'xattrs' },
] as const satisfies readonly IndexSection[];

export type SectionName = (typeof INDEX_SECTIONS)[number]['name'];

export const HEADER_SIZE = TABLE_OFFSET + INDEX_SECTIONS.length * 16;

/** A directory that no header described. */
export const FLAG_IMPLIED = 1;
/** A directory that hides what lies below it in lower layers. */
export const FLAG_OPAQUE = 2;
/** A hard link whose target lies in a lower layer. */
export const FLAG_LOWER_LINK = 4;

/** Attributes of an implied directory; all others of it are 0. */
export const IMPLIED_MODE = 0o755;
/** Linux gives every symlink this mode and has no way to change it. */
export const SYMLINK_MODE = 0o777;

export const MAX_NAME_BYTES = 255;
/** Bytes of a full path: the kernel's PATH_MAX without the final NUL. */
export const MAX_PATH_BYTES = 4095;

export function align8(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}
