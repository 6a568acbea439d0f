import { showBytes } from './byte-text.ts';
import { entryFault } from './draft-fault.ts';
import { type DraftInode, type DraftNode, impliedDirectory } from './draft-node.ts';
import type { PathNames } from './draft-path.ts';
import { MAX_STEPS, MAX_SYMLINKS } from './follow-path.ts';
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from './index-layout.ts';
import { fromLatin1, latin1 } from './latin1.ts';

/** Where a path leads inside the root: the last directory that is there, and the names that are missing below it. */
interface Reached {
  readonly directory: DraftNode;
  readonly missing: readonly string[];
}

/** The names of a layer while its tar is read. Paths never leave the root: `..` stops there, absolute links begin there. */
export interface DraftTree {
  readonly root: DraftNode;
  /** Follows symlinks of this layer in every name. @param path of the tar entry, for messages */
  reach(names: PathNames, path: Uint8Array): Reached;
  /** The same, and makes what is missing as implied directories. */
  makeDirectory(names: PathNames, path: Uint8Array): DraftNode;
  /** The node of a name, made where it is not there. */
  makeNode(directory: DraftNode, name: string, path: Uint8Array): DraftNode;
}

/** Puts another inode behind a name; what lay below it is gone. */
export function replaceInode(node: DraftNode, inode: DraftInode | undefined): void {
  node.inode = inode;
  node.children = undefined;
  node.opaque = false;
}

export function nodePath(node: DraftNode): string {
  return node.parent === undefined || node.parent.parent === undefined
    ? node.name
    : `${nodePath(node.parent)}/${node.name}`;
}

/** @param maxNodes names that are ever made, the root included */
export function createDraftTree(maxNodes: number): DraftTree {
  const root: DraftNode = {
    name: '',
    parent: undefined,
    pathLength: 0,
    inode: impliedDirectory(),
    children: undefined,
    whited: false,
    opaque: false,
  };
  let nodes = 1;

  function reach(names: PathNames, path: Uint8Array): Reached {
    const ahead = names.toReversed();
    const missing: string[] = [];
    let directory = root;
    let symlinks = 0;
    for (let steps = 0; ahead.length > 0; steps++) {
      if (steps > MAX_STEPS) throw entryFault('symlink-loop', path, 'leads through too many symlinks');
      const name = ahead.pop() as string;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (missing.pop() === undefined) directory = directory.parent ?? root;
        continue;
      }
      const inode = missing.length > 0 ? undefined : directory.children?.get(name)?.inode;
      if (inode === undefined) {
        missing.push(name);
      } else if (inode.kind === 'directory') {
        directory = directory.children?.get(name) as DraftNode;
      } else if (inode.kind === 'symlink') {
        if (++symlinks > MAX_SYMLINKS)
          throw entryFault('symlink-loop', path, 'leads through a loop of symlinks');
        const target = inode.content as string;
        if (target.startsWith('/')) directory = root;
        for (const part of target.split('/').reverse()) ahead.push(part);
      } else {
        const parent = showBytes(fromLatin1(nodePath(directory.children?.get(name) as DraftNode)));
        throw entryFault('parent-not-directory', path, `lies below ${parent}, which is a ${inode.kind}`, {
          parent,
        });
      }
    }
    return { directory, missing };
  }

  function makeNode(directory: DraftNode, name: string, path: Uint8Array): DraftNode {
    directory.children ??= new Map();
    const there = directory.children.get(name);
    if (there !== undefined) return there;
    if (name.length > MAX_NAME_BYTES) {
      throw entryFault(
        'name-too-long',
        path,
        `has a name of ${name.length} bytes; ${MAX_NAME_BYTES} are allowed`,
      );
    }
    const pathLength = directory.pathLength + (directory === root ? 0 : 1) + name.length;
    if (pathLength > MAX_PATH_BYTES) {
      throw entryFault(
        'path-too-long',
        path,
        `has a path of ${pathLength} bytes; ${MAX_PATH_BYTES} are allowed`,
      );
    }
    if (nodes >= maxNodes) {
      throw entryFault('too-many-entries', path, `is one too many; ${maxNodes} are allowed in a layer`, {
        limit: maxNodes,
      });
    }
    nodes++;
    const made: DraftNode = {
      // A copy: a part of a string would keep the whole path in memory.
      name: latin1(fromLatin1(name)),
      parent: directory,
      pathLength,
      inode: undefined,
      children: undefined,
      whited: false,
      opaque: false,
    };
    directory.children.set(made.name, made);
    return made;
  }

  function makeDirectory(names: PathNames, path: Uint8Array): DraftNode {
    const reached = reach(names, path);
    let directory = reached.directory;
    for (const name of reached.missing) {
      directory = makeNode(directory, name, path);
      directory.inode = impliedDirectory();
    }
    return directory;
  }

  return { root, reach, makeDirectory, makeNode };
}
