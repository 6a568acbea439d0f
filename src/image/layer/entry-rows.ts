import { createByteHeap } from './byte-heap.ts';
import type { DraftObject } from './draft-object.ts';
import { INDEX_SECTIONS, type SectionName } from './index-layout.ts';
import { latin1 } from './latin1.ts';
import type { LayerEntries } from './layer-entries.ts';
import { ENTRY_KINDS, type EntryKind, type Xattr } from './layer-index.ts';
import { encodeXattrSet } from './xattr-set.ts';

/** One entry; what its kind does not have is left out. */
export interface EntryRow {
  readonly parent: number;
  readonly name: Uint8Array;
  readonly kind: EntryKind;
  /** `FLAG_...` */
  readonly flags: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNanos: number;
  /** Sorted, names distinct. */
  readonly xattrs: readonly Xattr[];
  readonly object?: DraftObject | undefined;
  /** Symlink, hard link to a lower layer. */
  readonly link?: Uint8Array | undefined;
  /** Other hard links: an entry added before. */
  readonly hardlinkEntry?: number | undefined;
  readonly devMajor?: number | undefined;
  readonly devMinor?: number | undefined;
}

/** Takes rows in index order and makes the columns; checks nothing: the reader does. */
export interface EntryRows {
  add(row: EntryRow): void;
  /** `count` rows were added. */
  finish(): LayerEntries;
}

function setInt64(words: Int32Array, position: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  words[position * 2] = value - high * 2 ** 32;
  words[position * 2 + 1] = high;
}

/** @param count rows that will be added */
export function createEntryRows(count: number): EntryRows {
  const mtime = new Int32Array(count * 2);
  const parent = new Uint32Array(count);
  const nameOffset = new Uint32Array(count + 1);
  const uid = new Uint32Array(count);
  const gid = new Uint32Array(count);
  const mtimeNanos = new Uint32Array(count);
  const ref = new Uint32Array(count);
  const xattrSet = new Uint32Array(count);
  const mode = new Uint16Array(count);
  const kind = new Uint8Array(count);
  const flags = new Uint8Array(count);
  const names = createByteHeap();
  const links = createByteHeap();
  const linkOffset = [0];
  const device: number[] = [];
  const xattrs = createByteHeap();
  const xattrOffset = [0];
  const sets = new Map<string, number>();
  const objects = new Map<string, number>();
  const objectSizes: number[] = [];
  const objectDigest = createByteHeap();
  const leaves = createByteHeap();
  let added = 0;

  const setNumber = (list: readonly Xattr[]): number => {
    if (list.length === 0) return 0;
    const bytes = encodeXattrSet(list);
    const key = latin1(bytes);
    const known = sets.get(key);
    if (known !== undefined) return known;
    xattrs.append(bytes);
    xattrOffset.push(xattrs.length);
    sets.set(key, sets.size + 1);
    return sets.size;
  };
  const objectNumber = (object: DraftObject): number => {
    const key = latin1(object.hash);
    const known = objects.get(key);
    if (known !== undefined) return known;
    const number = objects.size;
    objects.set(key, number);
    objectDigest.append(object.hash);
    objectSizes.push(object.size);
    if (object.leaves !== undefined && object.leaves.length > 32) leaves.append(object.leaves);
    return number;
  };
  const refOf = (row: EntryRow): number => {
    if (row.object !== undefined) return objectNumber(row.object);
    if (row.link !== undefined) {
      links.append(row.link);
      linkOffset.push(links.length);
      return linkOffset.length - 2;
    }
    if (row.devMajor !== undefined) {
      device.push(row.devMajor, row.devMinor ?? 0);
      return device.length / 2 - 1;
    }
    return row.hardlinkEntry ?? 0;
  };

  return {
    add(row) {
      const entry = added++;
      parent[entry] = row.parent;
      names.append(row.name);
      nameOffset[added] = names.length;
      kind[entry] = ENTRY_KINDS.indexOf(row.kind);
      flags[entry] = row.flags;
      mode[entry] = row.mode;
      uid[entry] = row.uid;
      gid[entry] = row.gid;
      setInt64(mtime, entry, row.mtime);
      mtimeNanos[entry] = row.mtimeNanos;
      xattrSet[entry] = setNumber(row.xattrs);
      ref[entry] = refOf(row);
    },
    finish() {
      const objectSize = new Int32Array(objects.size * 2);
      objectSizes.forEach((size, object) => {
        setInt64(objectSize, object, size);
      });
      const columns: Record<SectionName, ArrayBufferView> = {
        mtime,
        objectSize,
        parent,
        nameOffset,
        uid,
        gid,
        mtimeNanos,
        ref,
        xattrSet,
        linkOffset: Uint32Array.from(linkOffset),
        device: Uint32Array.from(device),
        xattrOffset: Uint32Array.from(xattrOffset),
        mode,
        kind,
        flags,
        objectDigest: objectDigest.bytes(),
        leaves: leaves.bytes(),
        names: names.bytes(),
        links: links.bytes(),
        xattrs: xattrs.bytes(),
      };
      return {
        entryCount: count,
        objectCount: objects.size,
        contentSize: objectSizes.reduce((sum, size) => sum + size, 0),
        linkCount: linkOffset.length - 1,
        deviceCount: device.length / 2,
        xattrSetCount: sets.size,
        sections: INDEX_SECTIONS.map(({ name }) => {
          const column = columns[name];
          return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
        }),
        keepsObject: (hash) => objects.has(latin1(hash)),
        objectNumber: (hash) => objects.get(latin1(hash)) ?? -1,
        objectSize: (object) => objectSizes[object] as number,
      };
    },
  };
}
