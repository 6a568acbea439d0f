import { Fault } from '../../base/fault.ts';
import { leafCount } from '../dag/file-dag.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import { showBytes } from './byte-text.ts';
import { entryFault } from './draft-fault.ts';
import type { DraftInode, DraftNode } from './draft-node.ts';
import type { DraftObject } from './draft-object.ts';
import { createDraftObjects } from './draft-objects.ts';
import { cleanPath, cleanTarget, type PathNames } from './draft-path.ts';
import { draftRows } from './draft-rows.ts';
import { createDraftTree, type DraftTree, nodePath, replaceInode } from './draft-tree.ts';
import { createDraftXattrs, type DraftXattrs } from './draft-xattrs.ts';
import { SYMLINK_MODE } from './index-layout.ts';
import { fromLatin1, latin1 } from './latin1.ts';
import type { LayerEntries } from './layer-entries.ts';
import type { LayerLimits } from './layer-limits.ts';

export type { DraftObject } from './draft-object.ts';

/** Takes a tar's entries in order and ends with what an engine would have on disk after it. */
export interface LayerDraft {
  /**
   * @param entry valid during the call only
   * @param object needed for type `file`; dropped where the entry leaves no file (a whiteout, the root)
   * @throws Fault `invalid/path-leaves-root`, `invalid/parent-not-directory`, `invalid/symlink-loop`,
   *   `invalid/bad-whiteout`, `invalid/hardlink-to-directory`, `invalid/hardlink-to-itself`, `invalid/bad-name`,
   *   `invalid/bad-link`, `invalid/bad-xattr`, `invalid/name-too-long`, `invalid/path-too-long`,
   *   `invalid/link-too-long`, `invalid/too-many-entries`, `invalid/xattrs-too-big` (fields: entry)
   */
  add(entry: TarEntry, object?: DraftObject): void;
  /** All entries were added; the draft is used up. */
  finish(): LayerEntries;
}

const WHITEOUT = '.wh.';
/** AUFS's own records: `.wh..wh.plnk`, `.wh..wh.aufs`, `.wh..wh.orph`; one of them means something to engines. */
const WHITEOUT_META = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

const CAPABILITY = 'security.capability';

/**
 * The rules are moby's pkg/archive (Unpack, createImpliedDirectories, createTarFile, overlayWhiteoutConverter) and
 * containerd's pkg/archive (applyNaive); where they differ, the one that accepts the tar. Whiteouts are taken as the
 * OCI image spec says (layer.md, "Whiteouts"): wherever they stand in the tar, they hide lower layers only.
 */
class TarLayerDraft implements LayerDraft {
  readonly #limits: LayerLimits;
  readonly #tree: DraftTree;
  readonly #xattrs: DraftXattrs;
  readonly #objects = createDraftObjects();

  constructor(limits: LayerLimits) {
    this.#limits = limits;
    this.#tree = createDraftTree(limits.entries);
    this.#xattrs = createDraftXattrs(limits);
  }

  add(entry: TarEntry, object?: DraftObject): void {
    const names = cleanPath(latin1(entry.path));
    if (names === undefined) throw entryFault('path-leaves-root', entry.path, 'leads out of the root');
    if (entry.path.includes(0)) throw entryFault('bad-name', entry.path, 'has a NUL byte in its name');
    const name = names.pop();
    if (name === undefined) {
      if (entry.type === 'directory') this.#describe(this.#tree.root.inode as DraftInode, entry);
    } else if (isMeta(name, names)) {
      return;
    } else if (name === OPAQUE) {
      this.#tree.makeDirectory(names, entry.path).opaque = true;
    } else if (name.startsWith(WHITEOUT)) {
      this.#addWhiteout(names, name.slice(WHITEOUT.length), entry);
    } else {
      const directory = this.#tree.makeDirectory(names, entry.path);
      this.#addEntry(this.#tree.makeNode(directory, name, entry.path), entry, object);
    }
  }

  /** moby's mknod for `.wh.`, `.wh..` and `.wh...` hits a directory and fails; containerd calls them invalid. */
  #addWhiteout(names: PathNames, hidden: string, entry: TarEntry): void {
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw entryFault('bad-whiteout', entry.path, 'is a whiteout of no name');
    }
    const directory = this.#tree.makeDirectory(names, entry.path);
    this.#tree.makeNode(directory, hidden, entry.path).whited = true;
  }

  #addEntry(node: DraftNode, entry: TarEntry, object: DraftObject | undefined): void {
    if (entry.type === 'directory' && node.inode?.kind === 'directory') {
      this.#describe(node.inode, entry);
    } else if (entry.type === 'hardlink') {
      // The old content is removed before the link is made: a link to itself finds nothing.
      replaceInode(node, undefined);
      this.#link(node, entry);
    } else {
      replaceInode(node, this.#newInode(entry, this.#contentOf(entry, object)));
    }
  }

  /** A header for a directory that is there: attributes replaced, extended ones added, children kept. */
  #describe(inode: DraftInode, entry: TarEntry): void {
    inode.mode = entry.mode & 0o7777;
    inode.uid = entry.uid >>> 0;
    inode.gid = entry.gid >>> 0;
    inode.mtime = entry.mtime;
    inode.mtimeNanos = entry.mtimeNanos;
    inode.xattrs = this.#xattrs.merge(inode.xattrs, entry.xattrs, entry.path);
    inode.implied = false;
  }

  #contentOf(entry: TarEntry, object: DraftObject | undefined): DraftInode['content'] {
    switch (entry.type) {
      case 'file':
        return this.#keepObject(entry, object);
      case 'symlink':
        return this.#checkLink(entry);
      case 'chardev':
      case 'blockdev':
        return [entry.devMajor >>> 0, entry.devMinor >>> 0];
      default:
        return undefined;
    }
  }

  #newInode(entry: TarEntry, content: DraftInode['content']): DraftInode {
    return {
      kind: entry.type,
      mode: entry.type === 'symlink' ? SYMLINK_MODE : entry.mode & 0o7777,
      uid: entry.uid >>> 0,
      gid: entry.gid >>> 0,
      mtime: entry.mtime,
      mtimeNanos: entry.mtimeNanos,
      xattrs: this.#xattrs.merge([], entry.xattrs, entry.path),
      implied: false,
      content,
      entry: -1,
    };
  }

  #checkLink(entry: TarEntry): string {
    const { length } = entry.linkPath;
    if (length > this.#limits.linkBytes) {
      throw entryFault('link-too-long', entry.path, `links to a target of ${length} bytes`, {
        limit: this.#limits.linkBytes,
      });
    }
    if (length === 0 || entry.linkPath.includes(0)) {
      throw entryFault(
        'bad-link',
        entry.path,
        length === 0 ? 'links to nothing' : 'has a NUL byte in its target',
      );
    }
    return latin1(entry.linkPath);
  }

  #keepObject(entry: TarEntry, object: DraftObject | undefined): number {
    if (object === undefined || (object.leaves?.length ?? 32) !== leafCount(object.size) * 32) {
      throw new Fault('internal', 'no-object', `the content of ${showBytes(entry.path)} was not hashed`);
    }
    return this.#objects.keep(object);
  }

  #link(node: DraftNode, entry: TarEntry): void {
    const names = cleanTarget(this.#checkLink(entry));
    const name = names.pop();
    if (name === undefined)
      throw entryFault('hardlink-to-directory', entry.path, 'is a hard link to the root');
    const { directory, missing } = this.#tree.reach(names, entry.path);
    const target = missing.length === 0 ? directory.children?.get(name) : undefined;
    if (target === node) throw entryFault('hardlink-to-itself', entry.path, 'is a hard link to itself');
    if (target?.inode === undefined) {
      const path = [...(directory.parent === undefined ? [] : [nodePath(directory)]), ...missing, name].join(
        '/',
      );
      node.inode = this.#newInode(entry, path);
      return;
    }
    if (target.inode.kind === 'directory') {
      const shown = showBytes(fromLatin1(nodePath(target)));
      throw entryFault('hardlink-to-directory', entry.path, `is a hard link to the directory ${shown}`);
    }
    node.inode = target.inode;
    this.#describeLinked(target.inode, entry);
  }

  /**
   * A hard link's header changes the inode, as createTarFile does for every type: lchown, then setxattr, and for all
   * but symlinks chmod and utimes. lchown takes away the file capabilities (fs/open.c, chown_common: ATTR_KILL_PRIV).
   */
  #describeLinked(inode: DraftInode, entry: TarEntry): void {
    inode.uid = entry.uid >>> 0;
    inode.gid = entry.gid >>> 0;
    const left = inode.xattrs.filter((xattr) => latin1(xattr.name) !== CAPABILITY);
    inode.xattrs = this.#xattrs.merge(left, entry.xattrs, entry.path);
    if (inode.kind === 'symlink') return;
    inode.mode = entry.mode & 0o7777;
    inode.mtime = entry.mtime;
    inode.mtimeNanos = entry.mtimeNanos;
  }

  finish(): LayerEntries {
    return draftRows(this.#tree.root, this.#objects);
  }
}

function isMeta(name: string, directories: PathNames): boolean {
  return (
    (name !== OPAQUE && name.startsWith(WHITEOUT_META)) ||
    directories.some((directory) => directory.startsWith(WHITEOUT_META))
  );
}

/** A draft of an empty layer. */
export function createLayerDraft(limits: LayerLimits): LayerDraft {
  return new TarLayerDraft(limits);
}
