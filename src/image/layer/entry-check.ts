import { badIndex } from './bad-index.ts';
import { type IndexColumns, int64At } from './index-columns.ts';
import {
  FLAG_IMPLIED,
  FLAG_LOWER_LINK,
  FLAG_OPAQUE,
  IMPLIED_MODE,
  MAX_NAME_BYTES,
  MAX_PATH_BYTES,
  SYMLINK_MODE,
} from './index-layout.ts';
import { latin1 } from './latin1.ts';
import { ENTRY_KINDS } from './layer-index.ts';

const FILE = ENTRY_KINDS.indexOf('file');
const DIRECTORY = ENTRY_KINDS.indexOf('directory');
const SYMLINK = ENTRY_KINDS.indexOf('symlink');
const HARDLINK = ENTRY_KINDS.indexOf('hardlink');
const CHARDEV = ENTRY_KINDS.indexOf('chardev');
const BLOCKDEV = ENTRY_KINDS.indexOf('blockdev');
const WHITEOUT = ENTRY_KINDS.indexOf('whiteout');
const DOT = 0x2e;

/** Flags that a kind may have. */
const LEGAL_FLAGS = ENTRY_KINDS.map((kind) => {
  if (kind === 'directory') return FLAG_IMPLIED | FLAG_OPAQUE;
  return kind === 'hardlink' ? FLAG_LOWER_LINK : 0;
});

/**
 * Checks every entry against the others and the tables.
 * @returns by entry number its first child or where it would stand; one more at the end
 * @throws Fault `corrupt/bad-layer-index` (fields: entry)
 */
export function checkEntries(columns: IndexColumns): Uint32Array {
  const firstChild = checkShape(columns);
  checkNameOrder(columns);
  checkAttributes(columns);
  checkRefs(columns);
  return firstChild;
}

function bad(what: string, entry: number): Error {
  return badIndex(`${what} of entry ${entry}`, { entry });
}

/** Parents that never fall and precede their children: breadth first, the children of a directory together. */
function checkShape({ counts, parent, kind }: IndexColumns): Uint32Array {
  const count = counts.entries;
  if (count === 0 || parent[0] !== 0 || kind[0] !== DIRECTORY) throw bad('root', 0);
  const firstChild = new Uint32Array(count + 1);
  let last = 0;
  firstChild[0] = 1;
  for (let entry = 1; entry < count; entry++) {
    const own = parent[entry] as number;
    if (own < last || own >= entry || kind[own] !== DIRECTORY) throw bad('parent', entry);
    while (last < own) firstChild[++last] = entry;
  }
  while (last < count) firstChild[++last] = count;
  return firstChild;
}

function checkNameOrder({ counts, parent, nameOffset, names }: IndexColumns): void {
  if (nameOffset[1] !== 0) throw bad('name', 0);
  const pathLength = new Uint16Array(counts.entries);
  let begin = 0;
  let end = 0;
  for (let entry = 1; entry < counts.entries; entry++) {
    const last = begin;
    const lastEnd = end;
    begin = end;
    end = nameOffset[entry + 1] as number;
    const length = end - begin;
    if (length === 0 || length > MAX_NAME_BYTES) throw bad('name', entry);
    if (names[begin] === DOT && (length === 1 || (length === 2 && names[begin + 1] === DOT))) {
      throw bad('name', entry);
    }
    const above = pathLength[parent[entry] as number] as number;
    const path = above === 0 ? length : above + 1 + length;
    if (path > MAX_PATH_BYTES) throw bad('length of the path', entry);
    pathLength[entry] = path;
    if (entry === 1 || parent[entry] !== parent[entry - 1]) continue;
    let a = last;
    let b = begin;
    while (a < lastEnd && b < end && names[a] === names[b]) {
      a++;
      b++;
    }
    if (b === end || (a < lastEnd && (names[a] as number) > (names[b] as number))) {
      throw bad('order of the name', entry);
    }
  }
}

function checkAttributes(columns: IndexColumns): void {
  const { counts, kind, flags, mode, uid, gid, mtime, mtimeNanos, xattrSet } = columns;
  let sets = 0;
  for (let entry = 0; entry < counts.entries; entry++) {
    const own = kind[entry] as number;
    if (own >= ENTRY_KINDS.length) throw bad('kind', entry);
    const flag = flags[entry] as number;
    if ((flag & ~(LEGAL_FLAGS[own] as number)) !== 0) throw bad('flags', entry);
    const bits = mode[entry] as number;
    if (bits > 0o7777 || (own === SYMLINK && bits !== SYMLINK_MODE)) throw bad('mode', entry);
    if ((mtimeNanos[entry] as number) >= 1_000_000_000) throw bad('nanoseconds', entry);
    if (!Number.isSafeInteger(int64At(mtime, entry))) throw bad('mtime', entry);
    const set = xattrSet[entry] as number;
    if (set > sets + 1) throw bad('xattr set', entry);
    if (set === sets + 1) sets++;
    const bare = own === WHITEOUT ? 0 : (flag & FLAG_IMPLIED) !== 0 ? IMPLIED_MODE : -1;
    if (bare < 0) continue;
    const time = mtime[entry * 2] === 0 && mtime[entry * 2 + 1] === 0 && mtimeNanos[entry] === 0;
    if (bits !== bare || uid[entry] !== 0 || gid[entry] !== 0 || !time || set !== 0)
      throw bad('attributes', entry);
  }
  if (sets !== counts.xattrSets) throw badIndex('an xattr set that no entry has');
}

function checkRefs(columns: IndexColumns): void {
  const { counts, kind, flags, ref } = columns;
  let objects = 0;
  let links = 0;
  let devices = 0;
  for (let entry = 0; entry < counts.entries; entry++) {
    const own = kind[entry] as number;
    const to = ref[entry] as number;
    if (own === FILE) {
      if (to > objects) throw bad('object', entry);
      if (to === objects) objects++;
    } else if (own === SYMLINK || (flags[entry] as number) & FLAG_LOWER_LINK) {
      if (to !== links++) throw bad('link', entry);
      checkLink(columns, entry, to);
    } else if (own === HARDLINK) {
      checkHardlink(columns, entry, to);
    } else if (own === CHARDEV || own === BLOCKDEV) {
      if (to !== devices++) throw bad('device', entry);
    } else if (to !== 0) {
      throw bad('reference', entry);
    }
  }
  if (objects !== counts.objects) throw badIndex('an object that no entry has');
  if (links !== counts.links) throw badIndex('a link that no entry has');
  if (devices !== counts.devices) throw badIndex('a device that no entry has');
}

function checkLink({ counts, kind, linkOffset, links }: IndexColumns, entry: number, link: number): void {
  if (link >= counts.links) throw bad('link', entry);
  const target = links.subarray(linkOffset[link], linkOffset[link + 1]);
  if (target.length === 0 || target.includes(0)) throw bad('link target', entry);
  if (kind[entry] !== HARDLINK) return;
  for (const name of latin1(target).split('/')) {
    if (name === '' || name === '.' || name === '..') throw bad('link target', entry);
  }
}

/** One entry of an inode, the first, has the content; the others stand behind it with the same attributes. */
function checkHardlink(columns: IndexColumns, entry: number, to: number): void {
  const { kind, mode, uid, gid, mtime, mtimeNanos, xattrSet } = columns;
  const owner = kind[to] as number;
  if (to >= entry || owner === DIRECTORY || owner === HARDLINK || owner === WHITEOUT) {
    throw bad('hard link target', entry);
  }
  if (
    mode[entry] !== mode[to] ||
    uid[entry] !== uid[to] ||
    gid[entry] !== gid[to] ||
    mtime[entry * 2] !== mtime[to * 2] ||
    mtime[entry * 2 + 1] !== mtime[to * 2 + 1] ||
    mtimeNanos[entry] !== mtimeNanos[to] ||
    xattrSet[entry] !== xattrSet[to]
  ) {
    throw bad('attributes of the hard link', entry);
  }
}
