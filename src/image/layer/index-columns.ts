import type { IndexCounts, SectionName } from './index-layout.ts';

/** The sections of an index as typed arrays over its bytes; 64-bit columns as pairs of words, low one first. */
export interface IndexColumns {
  readonly counts: IndexCounts;
  readonly mtime: Int32Array;
  readonly objectSize: Int32Array;
  readonly parent: Uint32Array;
  readonly nameOffset: Uint32Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  readonly mtimeNanos: Uint32Array;
  readonly ref: Uint32Array;
  readonly xattrSet: Uint32Array;
  readonly linkOffset: Uint32Array;
  readonly device: Uint32Array;
  readonly xattrOffset: Uint32Array;
  readonly mode: Uint16Array;
  readonly kind: Uint8Array;
  readonly flags: Uint8Array;
  readonly objectDigest: Uint8Array;
  readonly leaves: Uint8Array;
  readonly names: Uint8Array;
  readonly links: Uint8Array;
  readonly xattrs: Uint8Array;
}

export function int64At(words: Int32Array, position: number): number {
  return (words[position * 2 + 1] as number) * 2 ** 32 + ((words[position * 2] as number) >>> 0);
}

/** @param section the bytes of a section, on an 8-byte boundary of its buffer */
export function indexColumns(counts: IndexCounts, section: (name: SectionName) => Uint8Array): IndexColumns {
  const words32 = (name: SectionName): Uint32Array => {
    const { buffer, byteOffset, byteLength } = section(name);
    return new Uint32Array(buffer, byteOffset, byteLength / 4);
  };
  const words64 = (name: SectionName): Int32Array => {
    const { buffer, byteOffset, byteLength } = section(name);
    return new Int32Array(buffer, byteOffset, byteLength / 4);
  };
  const mode = section('mode');
  return {
    counts,
    mtime: words64('mtime'),
    objectSize: words64('objectSize'),
    parent: words32('parent'),
    nameOffset: words32('nameOffset'),
    uid: words32('uid'),
    gid: words32('gid'),
    mtimeNanos: words32('mtimeNanos'),
    ref: words32('ref'),
    xattrSet: words32('xattrSet'),
    linkOffset: words32('linkOffset'),
    device: words32('device'),
    xattrOffset: words32('xattrOffset'),
    mode: new Uint16Array(mode.buffer, mode.byteOffset, mode.byteLength / 2),
    kind: section('kind'),
    flags: section('flags'),
    objectDigest: section('objectDigest'),
    leaves: section('leaves'),
    names: section('names'),
    links: section('links'),
    xattrs: section('xattrs'),
  };
}
