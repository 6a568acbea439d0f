import type { DraftInode, DraftNode } from './draft-node.ts';
import type { DraftObjects } from './draft-objects.ts';
import { createEntryRows, type EntryRow } from './entry-rows.ts';
import { FLAG_IMPLIED, FLAG_LOWER_LINK, FLAG_OPAQUE } from './index-layout.ts';
import { fromLatin1 } from './latin1.ts';
import type { LayerEntries } from './layer-entries.ts';

function byName(a: DraftNode, b: DraftNode): number {
  return a.name < b.name ? -1 : 1;
}

/** All names breadth first, the children of a directory together and sorted by bytes. */
function breadthFirst(root: DraftNode): DraftNode[] {
  const nodes = [root];
  for (let i = 0; i < nodes.length; i++) {
    const children = nodes[i]?.children;
    if (children === undefined) continue;
    for (const child of [...children.values()].sort(byName)) nodes.push(child);
  }
  return nodes;
}

function whiteoutRow(node: DraftNode, parent: number): EntryRow {
  const zero = { flags: 0, mode: 0, uid: 0, gid: 0, mtime: 0, mtimeNanos: 0, xattrs: [] };
  return { parent, name: fromLatin1(node.name), kind: 'whiteout', ...zero };
}

function flagsOf(node: DraftNode, inode: DraftInode): number {
  if (inode.kind === 'hardlink') return FLAG_LOWER_LINK;
  if (inode.kind !== 'directory') return 0;
  // A whiteout beside an implied directory hides the lower directory itself, whose attributes then do not show:
  // the directory is no longer implied.
  return (node.opaque || node.whited ? FLAG_OPAQUE : 0) | (inode.implied && !node.whited ? FLAG_IMPLIED : 0);
}

function inodeRow(node: DraftNode, inode: DraftInode, parent: number, objects: DraftObjects): EntryRow {
  const { kind, content, mode, uid, gid, mtime, mtimeNanos, xattrs } = inode;
  const row = { parent, name: fromLatin1(node.name), mode, uid, gid, mtime, mtimeNanos, xattrs };
  if (inode.entry >= 0) return { ...row, kind: 'hardlink', flags: 0, hardlinkEntry: inode.entry };
  const own = { ...row, kind, flags: flagsOf(node, inode) };
  if (typeof content === 'number') return { ...own, object: objects.object(content) };
  if (typeof content === 'string') return { ...own, link: fromLatin1(content) };
  return content === undefined ? own : { ...own, devMajor: content[0], devMinor: content[1] };
}

/**
 * The rows of a finished tree. Of several names of one inode the first in index order is the entry, the others are
 * hard links to it; each name of a lower layer's inode is a hard link by path.
 */
export function draftRows(root: DraftNode, objects: DraftObjects): LayerEntries {
  const nodes = breadthFirst(root);
  const rows = createEntryRows(nodes.length);
  const numbers = new Map<DraftNode, number>();
  for (const [entry, node] of nodes.entries()) {
    const parent = node.parent === undefined ? 0 : (numbers.get(node.parent) as number);
    if (node.inode === undefined) {
      rows.add(whiteoutRow(node, parent));
      continue;
    }
    rows.add(inodeRow(node, node.inode, parent, objects));
    if (node.inode.kind === 'directory') numbers.set(node, entry);
    else if (node.inode.kind !== 'hardlink' && node.inode.entry < 0) node.inode.entry = entry;
  }
  return rows.finish();
}
