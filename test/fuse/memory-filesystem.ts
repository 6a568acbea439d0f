import { constants } from 'node:os';
import {
  type FuseFilesystem,
  type NodeAttributes,
  PENDING,
  type RequestId,
} from '../../src/fuse/filesystem.ts';
import type { TreeEntry } from './contract-tree.ts';

const { ENODATA, ENOENT, ENOTDIR, ENXIO } = constants.errno;
const TYPES = {
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
  chardev: 0o020000,
  blockdev: 0o060000,
  fifo: 0o010000,
} as const;

interface MemoryNode {
  readonly id: number;
  readonly entry: TreeEntry;
  readonly attributes: NodeAttributes;
  readonly parent: MemoryNode | undefined;
  readonly children: Map<string, MemoryNode>;
  names: { name: Uint8Array; node: MemoryNode }[];
}

/** What happened to a filesystem: for tests that ask whether look-ups and opens come out even. */
export interface MemoryCounts {
  lookups: number;
  forgotten: number;
  opened: number;
  released: number;
}

export interface MemoryFilesystemOptions {
  /** A read of a file that is marked `waits`. Absent: it is answered like any other. */
  readonly waiting?: (request: RequestId, name: string, offset: number, size: number) => void;
  readonly interrupted?: (request: RequestId) => void;
  /** A passthrough id for a file on disk. */
  readonly backingId?: (path: string) => number;
}

/** A tree held in memory: the smallest filesystem that the contract allows, and its example. */
export function createMemoryFilesystem(
  tree: readonly TreeEntry[],
  options: MemoryFilesystemOptions = {},
): FuseFilesystem & { readonly counts: MemoryCounts } {
  const nodes = growTree(tree);
  const counts: MemoryCounts = { lookups: 0, forgotten: 0, opened: 0, released: 0 };
  const nodeOf = (id: number): MemoryNode | undefined => nodes[id];
  return {
    counts,
    lookup(parent, name, out) {
      const folder = nodeOf(parent);
      if (folder === undefined) return ENOENT;
      if (folder.entry.kind !== 'directory') return ENOTDIR;
      const child = folder.children.get(Buffer.from(name).toString('latin1'));
      if (child === undefined) out.absent();
      else {
        counts.lookups++;
        out.entry(child.id, child.attributes);
      }
      return 0;
    },
    forget(_node, count) {
      counts.forgotten += count;
    },
    attributes(id, out) {
      const node = nodeOf(id);
      if (node === undefined) return ENOENT;
      out.attributes(node.attributes);
      return 0;
    },
    readLink(id, out) {
      const target = nodeOf(id)?.entry.target;
      if (target === undefined) return ENOENT;
      out.bytes(Buffer.from(target, 'latin1'));
      return 0;
    },
    open(id, _flags, _request, out) {
      const node = nodeOf(id);
      if (node === undefined) return ENOENT;
      counts.opened++;
      const { backing } = node.entry;
      if (backing === undefined || options.backingId === undefined) out.handle(id);
      else out.passthrough(id, options.backingId(backing));
      return 0;
    },
    read(id, _handle, offset, size, request, out) {
      const node = nodeOf(id);
      if (node === undefined) return ENOENT;
      if (node.entry.waits === true && options.waiting !== undefined) {
        options.waiting({ high: request.high, low: request.low }, node.entry.path, offset, size);
        return PENDING;
      }
      const content = node.entry.content ?? new Uint8Array();
      const part = content.subarray(Math.min(offset, content.length), offset + size);
      out.space(part.length).set(part);
      out.filled(part.length);
      return 0;
    },
    release() {
      counts.released++;
    },
    readDirectory(id, offset, out) {
      const folder = nodeOf(id);
      if (folder === undefined) return ENOENT;
      for (let at = offset; at < folder.names.length + 2; at++) {
        if (at < 2) {
          const dot = at === 0 ? folder : (folder.parent ?? folder);
          if (!out.entry(Buffer.from('.'.repeat(at + 1)), at + 1, 0, dot.attributes)) break;
          continue;
        }
        const { name, node } = folder.names[at - 2]!;
        if (!out.entry(name, at + 1, node.id, node.attributes)) break;
        if (out.plus) counts.lookups++;
      }
      return 0;
    },
    statistics(out) {
      out.statistics(1000, nodes.length - 1);
      return 0;
    },
    xattr(id, name, out) {
      const value = nodeOf(id)?.entry.xattrs?.[Buffer.from(name).toString('latin1')];
      if (value === undefined) return ENODATA;
      out.bytes(value);
      return 0;
    },
    xattrNames(id, out) {
      const names = Object.keys(nodeOf(id)?.entry.xattrs ?? {});
      out.bytes(Buffer.from(names.map((name) => `${name}\0`).join(''), 'latin1'));
      return 0;
    },
    seek(id, _handle, offset, toData, out) {
      const node = nodeOf(id);
      if (node === undefined) return ENOENT;
      const size = node.attributes.size;
      if (offset >= size) return ENXIO;
      const extents = node.entry.extents ?? [[0, size]];
      const inside = extents.find(([from, end]) => offset >= from && offset < end);
      const next = extents.find(([from]) => from >= offset);
      if (toData) {
        if (inside === undefined && next === undefined) return ENXIO;
        out.offset(inside === undefined ? next![0] : offset);
      } else out.offset(inside === undefined ? offset : inside[1]);
      return 0;
    },
    interrupt(request) {
      options.interrupted?.(request);
    },
  };
}

/** Nodes by id; the root is 1, hard links share one. */
function growTree(tree: readonly TreeEntry[]): (MemoryNode | undefined)[] {
  const nodes: (MemoryNode | undefined)[] = [undefined];
  const byPath = new Map<string, MemoryNode>();
  for (const entry of tree) {
    const cut = entry.path.lastIndexOf('/');
    const parent = entry.path === '' ? undefined : byPath.get(cut < 0 ? '' : entry.path.slice(0, cut))!;
    const name = entry.path.slice(cut + 1);
    let node: MemoryNode;
    if (entry.kind === 'hardlink') {
      node = byPath.get(entry.target!)!;
      node.attributes.nlink++;
    } else {
      node = {
        id: nodes.length,
        entry,
        parent,
        children: new Map(),
        names: [],
        attributes: attributesOf(entry, nodes.length),
      };
      nodes.push(node);
      if (entry.kind === 'directory' && parent !== undefined) parent.attributes.nlink++;
    }
    byPath.set(entry.path, node);
    parent?.children.set(name, node);
    parent?.names.push({ name: Buffer.from(name, 'latin1'), node });
  }
  return nodes;
}

function attributesOf(entry: TreeEntry, id: number): NodeAttributes {
  if (entry.kind === 'hardlink') throw new Error('a hard link has no attributes of its own');
  return {
    inode: id,
    size: entry.size ?? entry.content?.length ?? entry.target?.length ?? 0,
    mtime: entry.mtime ?? 1_600_000_000,
    mtimeNanos: entry.mtimeNanos ?? 0,
    mode: TYPES[entry.kind] | (entry.mode ?? 0o755),
    nlink: entry.kind === 'directory' ? 2 : 1,
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    devMajor: entry.device?.[0] ?? 0,
    devMinor: entry.device?.[1] ?? 0,
  };
}
