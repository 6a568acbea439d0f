import type { CID } from 'multiformats/cid';
import { objectCid } from '../dag/file-dag.ts';
import { type IndexColumns, int64At } from './index-columns.ts';
import { FLAG_IMPLIED, FLAG_LOWER_LINK, FLAG_OPAQUE } from './index-layout.ts';
import { type ChildRange, ENTRY_KINDS, type EntryKind, type LayerIndex, type Xattr } from './layer-index.ts';
import { decodeXattrSet } from './xattr-set.ts';

const NO_BYTES = new Uint8Array(0);
const NO_XATTRS: readonly Xattr[] = [];
const SLASH = 0x2f;
const [FILE, , SYMLINK, HARDLINK, CHARDEV, BLOCKDEV] = ENTRY_KINDS.map((_, number) => number);

class PackedIndex implements LayerIndex {
  readonly entryCount: number;
  readonly objectCount: number;
  readonly #columns: IndexColumns;
  readonly #firstLeaf: Float64Array;
  readonly #firstChild: Uint32Array;

  constructor(columns: IndexColumns, firstLeaf: Float64Array, firstChild: Uint32Array) {
    this.entryCount = columns.counts.entries;
    this.objectCount = columns.counts.objects;
    this.#columns = columns;
    this.#firstLeaf = firstLeaf;
    this.#firstChild = firstChild;
  }

  kind(entry: number): EntryKind {
    return ENTRY_KINDS[this.#columns.kind[entry] as number] as EntryKind;
  }

  parent(entry: number): number {
    return this.#columns.parent[entry] as number;
  }

  name(entry: number): Uint8Array {
    const { names, nameOffset } = this.#columns;
    return names.subarray(nameOffset[entry], nameOffset[entry + 1]);
  }

  children(directory: number): ChildRange {
    return {
      first: this.#firstChild[directory] as number,
      end: this.#firstChild[directory + 1] as number,
    };
  }

  lookup(directory: number, name: Uint8Array): number {
    let low = this.#firstChild[directory] as number;
    let high = this.#firstChild[directory + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compareName(middle, name);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  #compareName(entry: number, name: Uint8Array): number {
    const { names, nameOffset } = this.#columns;
    const begin = nameOffset[entry] as number;
    const length = (nameOffset[entry + 1] as number) - begin;
    const shared = Math.min(length, name.length);
    for (let i = 0; i < shared; i++) {
      const order = (names[begin + i] as number) - (name[i] as number);
      if (order !== 0) return order;
    }
    return length - name.length;
  }

  mode(entry: number): number {
    return this.#columns.mode[entry] as number;
  }

  uid(entry: number): number {
    return this.#columns.uid[entry] as number;
  }

  gid(entry: number): number {
    return this.#columns.gid[entry] as number;
  }

  size(entry: number): number {
    const kind = this.#columns.kind[entry];
    if (kind === FILE) return this.objectSize(this.#columns.ref[entry] as number);
    return kind === SYMLINK ? this.linkTarget(entry).length : 0;
  }

  mtime(entry: number): number {
    return int64At(this.#columns.mtime, entry);
  }

  mtimeNanos(entry: number): number {
    return this.#columns.mtimeNanos[entry] as number;
  }

  devMajor(entry: number): number {
    return this.#isDevice(entry)
      ? (this.#columns.device[(this.#columns.ref[entry] as number) * 2] as number)
      : 0;
  }

  devMinor(entry: number): number {
    return this.#isDevice(entry)
      ? (this.#columns.device[(this.#columns.ref[entry] as number) * 2 + 1] as number)
      : 0;
  }

  #isDevice(entry: number): boolean {
    const kind = this.#columns.kind[entry];
    return kind === CHARDEV || kind === BLOCKDEV;
  }

  linkTarget(entry: number): Uint8Array {
    const { kind, flags, ref, links, linkOffset } = this.#columns;
    const link = ref[entry] as number;
    if (kind[entry] === SYMLINK || ((flags[entry] as number) & FLAG_LOWER_LINK) !== 0) {
      return links.subarray(linkOffset[link], linkOffset[link + 1]);
    }
    return kind[entry] === HARDLINK ? this.path(link) : NO_BYTES;
  }

  hardlinkEntry(entry: number): number {
    const { kind, flags, ref } = this.#columns;
    return kind[entry] === HARDLINK && flags[entry] === 0 ? (ref[entry] as number) : -1;
  }

  xattrs(entry: number): readonly Xattr[] {
    const { xattrSet, xattrOffset, xattrs } = this.#columns;
    const set = xattrSet[entry] as number;
    return set === 0 ? NO_XATTRS : decodeXattrSet(xattrs.subarray(xattrOffset[set - 1], xattrOffset[set]));
  }

  implied(entry: number): boolean {
    return ((this.#columns.flags[entry] as number) & FLAG_IMPLIED) !== 0;
  }

  opaque(entry: number): boolean {
    return ((this.#columns.flags[entry] as number) & FLAG_OPAQUE) !== 0;
  }

  object(entry: number): number {
    return this.#columns.kind[entry] === FILE ? (this.#columns.ref[entry] as number) : -1;
  }

  objectSize(object: number): number {
    return int64At(this.#columns.objectSize, object);
  }

  objectDigest(object: number): Uint8Array {
    return this.#columns.objectDigest.subarray(object * 32, object * 32 + 32);
  }

  objectCid(object: number): CID {
    return objectCid(this.objectSize(object), this.objectDigest(object));
  }

  objectLeaves(object: number): Uint8Array | undefined {
    const first = (this.#firstLeaf[object] as number) * 32;
    const end = (this.#firstLeaf[object + 1] as number) * 32;
    return first === end ? undefined : this.#columns.leaves.subarray(first, end);
  }

  path(entry: number): Uint8Array {
    const { names, nameOffset, parent } = this.#columns;
    let length = -1;
    for (let at = entry; at !== 0; at = parent[at] as number) {
      length += (nameOffset[at + 1] as number) - (nameOffset[at] as number) + 1;
    }
    if (length < 0) return NO_BYTES;
    const path = new Uint8Array(length);
    let end = length;
    for (let at = entry; at !== 0; at = parent[at] as number) {
      const begin = nameOffset[at] as number;
      end -= (nameOffset[at + 1] as number) - begin;
      path.set(names.subarray(begin, nameOffset[at + 1]), end);
      if (end > 0) path[--end] = SLASH;
    }
    return path;
  }
}

/** The getters over columns that were checked. */
export function packedIndex(
  columns: IndexColumns,
  firstLeaf: Float64Array,
  firstChild: Uint32Array,
): LayerIndex {
  return new PackedIndex(columns, firstLeaf, firstChild);
}
