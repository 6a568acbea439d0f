import type { LayerIndex } from '../../image/layer/layer-index.ts';
import type { MergedNode, MergedTree } from '../../image/layer/merged-tree.ts';

/** A file of an image as its objects are fetched. */
export interface TreeFile {
  readonly layer: number;
  readonly object: number;
  readonly size: number;
  /** Absolute, without symlinks. */
  readonly path: string;
}

/** Finds files of an image by the names that its contents use. Paths are absolute. */
export interface TreeFiles {
  /** Symlinks are followed. */
  file(path: string): TreeFile | undefined;
  /** A shared library where the dynamic loader looks, by its file name. */
  library(name: string): TreeFile | undefined;
  /** A program by its name, or its path. */
  program(name: string, searched: readonly string[]): TreeFile | undefined;
  /** What a file names by `a/b`: the file of that name and of its own kind, or those of the folder. */
  module(from: string, name: string): readonly TreeFile[];
  /** The files of a folder where they are few bytes in all; larger ones are left out. */
  smallFolder(path: string): readonly TreeFile[];
}

const MAX_SYMLINKS = 16;
/** Files of a folder that come with one of them. */
const SMALL_FILE = 64 * 1024;
const SMALL_FOLDER = 128 * 1024;
const SMALL_COUNT = 64;
/** Folders above a file in which what it names is looked for. */
const MODULE_DEPTH = 3;
const LIBRARY_FOLDERS = ['/usr/lib', '/lib', '/usr/lib64', '/lib64', '/usr/local/lib'];
/** `x86_64-linux-gnu`, `aarch64-linux-musl` */
const TRIPLET = /^\w+-linux-\w+$/;

export function createTreeFiles(tree: MergedTree): TreeFiles {
  let libraryFolders: string[] | undefined;

  const indexOf = ({ layer }: { readonly layer: number }): LayerIndex => tree.indexes[layer] as LayerIndex;

  /** Where a path leads. */
  function walk(path: string): { readonly node: MergedNode; readonly path: string } | undefined {
    const ahead = path.split('/').reverse();
    const passed: { readonly node: MergedNode; readonly name: string }[] = [];
    for (let symlinks = 0; ahead.length > 0; ) {
      const name = ahead.pop() as string;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        passed.pop();
        continue;
      }
      const at = passed.at(-1)?.node ?? tree.root;
      const node = at.kind === 'directory' ? tree.lookup(at, Buffer.from(name)) : undefined;
      if (node === undefined) return undefined;
      if (node.kind !== 'symlink') {
        passed.push({ node, name });
        continue;
      }
      if (++symlinks > MAX_SYMLINKS) return undefined;
      const target = Buffer.from(indexOf(node).linkTarget(node.entry)).toString();
      if (target.startsWith('/')) passed.length = 0;
      ahead.push(...target.split('/').reverse());
    }
    return {
      node: passed.at(-1)?.node ?? tree.root,
      path: `/${passed.map(({ name }) => name).join('/')}`,
    };
  }

  function asFile(node: MergedNode, path: string): TreeFile | undefined {
    if (node.kind !== 'file') return undefined;
    const index = indexOf(node);
    const object = index.object(node.entry);
    if (object < 0 || index.objectSize(object) === 0) return undefined;
    return { layer: node.layer, object, size: index.objectSize(object), path };
  }

  function file(path: string): TreeFile | undefined {
    const found = walk(path);
    return found && asFile(found.node, found.path);
  }

  function smallFolder(path: string): TreeFile[] {
    const found = walk(path);
    if (found?.node.kind !== 'directory') return [];
    const children = tree.readDirectory(found.node);
    if (children.length > SMALL_COUNT * 4) return [];
    const files: TreeFile[] = [];
    let bytes = 0;
    for (const { name, node } of children) {
      const one = asFile(node, `${found.path}/${Buffer.from(name).toString()}`);
      if (one === undefined || one.size > SMALL_FILE) continue;
      bytes += one.size;
      files.push(one);
      if (bytes > SMALL_FOLDER || files.length > SMALL_COUNT) return [];
    }
    return files;
  }

  function findLibraryFolders(): string[] {
    const below: string[] = [];
    for (const folder of LIBRARY_FOLDERS) {
      const found = walk(folder);
      if (found?.node.kind !== 'directory') continue;
      for (const { name } of tree.readDirectory(found.node)) {
        const text = Buffer.from(name).toString();
        if (TRIPLET.test(text)) below.push(`${found.path}/${text}`);
      }
    }
    return [...new Set([...below, ...LIBRARY_FOLDERS])];
  }

  function firstFile(folders: readonly string[], name: string): TreeFile | undefined {
    for (const folder of folders) {
      const found = file(`${folder}/${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  return {
    file,
    smallFolder,
    library(name) {
      libraryFolders ??= findLibraryFolders();
      return firstFile(libraryFolders, name);
    },
    program: (name, searched) => (name.includes('/') ? file(name) : firstFile(searched, name)),
    module(from, name) {
      const folders = from.split('/').slice(1, -1);
      const kind = /\.\w+$/.exec(from)?.[0] ?? '';
      for (let up = 0; up < MODULE_DEPTH && up < folders.length; up++) {
        const folder = `/${folders.slice(0, folders.length - up).join('/')}`;
        const found =
          file(`${folder}/${name}${kind}`) ?? (kind === '' ? undefined : file(`${folder}/${name}`));
        if (found !== undefined) return [found];
        const small = smallFolder(`${folder}/${name}`);
        if (small.length > 0) return small;
        const init = file(`${folder}/${name}/__init__${kind}`) ?? file(`${folder}/${name}/index${kind}`);
        if (init !== undefined) return [init];
      }
      return [];
    },
  };
}
