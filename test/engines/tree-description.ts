import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { LayerIndex } from '../../src/image/layer/layer-index.ts';
import type { MergedNode, MergedTree } from '../../src/image/layer/merged-tree.ts';

/** What a path is, in words that a failing comparison shows. */
export interface PathDescription {
  readonly type: string;
  /** Permission bits in octal; owner `uid:gid`; seconds with nine decimals. Absent: nobody said (an implied directory). */
  readonly mode?: string;
  readonly owner?: string;
  readonly mtime?: string;
  readonly size?: number;
  readonly sha256?: string;
  readonly link?: string;
  /** `major:minor` */
  readonly device?: string;
  /** Hex by name. */
  readonly xattrs?: Readonly<Record<string, string>>;
  /** The first path of the same inode, where there are several. */
  readonly sameAs?: string;
}

/** By path from the root, bytes as latin1. The root is the empty path, and only its type is told. */
export type TreeDescription = Readonly<Record<string, PathDescription>>;

/** The sha256 (hex) of an object's content by the digest of its root; undefined where nobody knows the object. */
export type ContentHash = (objectDigest: Uint8Array) => string | undefined;

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

function sorted(entries: Iterable<readonly [string, PathDescription]>): TreeDescription {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Names of several paths of one inode get the first of them. */
function withSameAs(entries: Map<string, PathDescription>, groups: Map<string, string[]>): TreeDescription {
  for (const paths of groups.values()) {
    if (paths.length < 2) continue;
    const [first] = paths.sort();
    for (const path of paths) entries.set(path, { ...entries.get(path)!, sameAs: first as string });
  }
  return sorted(entries);
}

function readXattrs(root: string): Map<string, Record<string, string>> {
  const text = execFileSync(
    'getfattr',
    ['-R', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', root],
    {
      encoding: 'latin1',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const unescapeOctal = (path: string) =>
    path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  const found = new Map<string, Record<string, string>>();
  for (const stanza of text.split('\n\n')) {
    const [head = '', ...lines] = stanza.split('\n').filter((line) => line !== '');
    if (!head.startsWith('# file: ')) continue;
    const values = lines.map((line) => line.split('=') as [string, string?]);
    const path = unescapeOctal(head.slice(8)).slice(root.length + 1);
    found.set(
      path,
      Object.fromEntries(values.map(([name, value]) => [unescapeOctal(name), (value ?? '0x').slice(2)])),
    );
  }
  return found;
}

function typeOf(stats: BigIntStats): string {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isBlockDevice()) return 'blockdev';
  return 'chardev';
}

/** Device numbers as Linux packs them into st_rdev (sys/sysmacros.h, gnu_dev_major). */
function deviceOf(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** A tree on disk as overlayfs keeps it: whiteouts are 0:0 devices, opaque directories carry an attribute. */
export function describeFolder(root: string): TreeDescription {
  const entries = new Map<string, PathDescription>();
  const groups = new Map<string, string[]>();
  const xattrs = readXattrs(root);
  const visit = (path: string) => {
    const full = Buffer.from(path === '' ? root : `${root}/${path}`, 'latin1');
    const stats = lstatSync(full, { bigint: true });
    const type = typeOf(stats);
    if (type === 'chardev' && stats.rdev === 0n) {
      entries.set(path, { type: 'whiteout' });
      return;
    }
    const attributes = { ...xattrs.get(path) };
    const opaque = attributes['trusted.overlay.opaque'] === '79';
    for (const name of Object.keys(attributes))
      if (name.startsWith('trusted.overlay.')) delete attributes[name];
    const nanos = stats.mtimeNs;
    const seconds = nanos >= 0n ? nanos / 1_000_000_000n : (nanos - 999_999_999n) / 1_000_000_000n;
    const content = type === 'file' ? readFileSync(full) : undefined;
    entries.set(path, {
      type: opaque ? 'opaque directory' : type,
      mode: (stats.mode & 0o7777n).toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      mtime: `${seconds}.${String(nanos - seconds * 1_000_000_000n).padStart(9, '0')}`,
      ...(content === undefined
        ? {}
        : { size: content.length, sha256: createHash('sha256').update(content).digest('hex') }),
      ...(type === 'symlink' ? { link: latin1(readlinkSync(full, 'buffer')) } : {}),
      ...(type === 'chardev' || type === 'blockdev' ? { device: deviceOf(stats.rdev) } : {}),
      ...(Object.keys(attributes).length > 0 ? { xattrs: attributes } : {}),
    });
    if (type !== 'directory' && stats.nlink > 1n) {
      const key = String(stats.ino);
      groups.set(key, [...(groups.get(key) ?? []), path]);
    }
    if (type !== 'directory') return;
    for (const name of readdirSync(full, 'buffer'))
      visit(path === '' ? latin1(name) : `${path}/${latin1(name)}`);
  };
  visit('');
  return withSameAs(entries, groups);
}

/** Engines set times before 1970 to 1970 (moby pkg/system and containerd pkg/archive, boundTime). */
function mtimeOf(seconds: number, nanos: number): string {
  return seconds < 0 ? '0.000000000' : `${seconds}.${String(nanos).padStart(9, '0')}`;
}

/** One entry as the index tells it; `entry` is never a hard link. */
function describeEntry(index: LayerIndex, entry: number, content: ContentHash): PathDescription {
  const kind = index.kind(entry);
  if (kind === 'whiteout') return { type: 'whiteout' };
  const type = index.opaque(entry) ? 'opaque directory' : kind;
  if (index.implied(entry)) return { type };
  const xattrs = index
    .xattrs(entry)
    .map(({ name, value }) => [latin1(name), Buffer.from(value).toString('hex')]);
  return {
    type,
    mode: index.mode(entry).toString(8),
    owner: `${index.uid(entry)}:${index.gid(entry)}`,
    mtime: mtimeOf(index.mtime(entry), index.mtimeNanos(entry)),
    ...(kind === 'file'
      ? {
          size: index.size(entry),
          sha256: content(index.objectDigest(index.object(entry))) ?? 'unknown object',
        }
      : {}),
    ...(kind === 'symlink' ? { link: latin1(index.linkTarget(entry)) } : {}),
    ...(kind === 'chardev' || kind === 'blockdev'
      ? { device: `${index.devMajor(entry)}:${index.devMinor(entry)}` }
      : {}),
    ...(xattrs.length > 0 ? { xattrs: Object.fromEntries(xattrs) } : {}),
  };
}

export function describeIndex(index: LayerIndex, content: ContentHash): TreeDescription {
  const entries = new Map<string, PathDescription>();
  const groups = new Map<string, string[]>();
  for (let entry = 0; entry < index.entryCount; entry++) {
    const inode = index.kind(entry) === 'hardlink' ? index.hardlinkEntry(entry) : entry;
    const path = latin1(index.path(entry));
    if (inode === -1) {
      entries.set(path, { type: 'hardlink', link: latin1(index.linkTarget(entry)) });
      continue;
    }
    entries.set(path, entry === 0 ? { type: 'directory' } : describeEntry(index, inode, content));
    if (index.kind(entry) !== 'directory') {
      groups.set(String(inode), [...(groups.get(String(inode)) ?? []), path]);
    }
  }
  return withSameAs(entries, groups);
}

export function describeMerged(tree: MergedTree, content: ContentHash): TreeDescription {
  const entries = new Map<string, PathDescription>();
  const groups = new Map<string, string[]>();
  const visit = (node: MergedNode, path: string) => {
    const described = describeEntry(tree.indexes[node.layer]!, node.entry, content);
    const from = node.attributes;
    // Below an implied directory shp shows the lower's attributes; engines show a fresh directory's.
    const own = from !== undefined && from.layer === node.layer && from.entry === node.entry;
    entries.set(
      path,
      node.kind !== 'directory'
        ? described
        : own && path !== ''
          ? { ...described, type: 'directory' }
          : { type: 'directory' },
    );
    if (node.kind !== 'directory') {
      const key = String(tree.inode(node));
      groups.set(key, [...(groups.get(key) ?? []), path]);
      return;
    }
    for (const child of tree.readDirectory(node)) {
      visit(child.node, path === '' ? latin1(child.name) : `${path}/${latin1(child.name)}`);
    }
  };
  visit(tree.root, '');
  return withSameAs(entries, groups);
}

/**
 * `actual` without what `said` leaves open: attributes of implied directories, which engines choose themselves, and of
 * the root, whose header dockerd skips (moby pkg/archive, Unpack) and containerd applies.
 */
export function asFarAsSaid(actual: TreeDescription, said: TreeDescription): TreeDescription {
  return sorted(
    Object.entries(actual).map(([path, description]) => {
      const open = said[path]?.type.endsWith('directory') && said[path]?.mode === undefined;
      return [path, open ? { type: description.type } : description];
    }),
  );
}
