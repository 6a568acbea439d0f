import { fromLatin1, latin1 } from './latin1.ts';

/** Symlinks followed in one path: the kernel's MAXSYMLINKS. */
export const MAX_SYMLINKS = 40;
/** Names looked at in one path: the kernel's limits allow 40 x 2,048, far more than any real path. */
export const MAX_STEPS = 4096;

/** The tree in which a path is followed. */
export interface FollowPath<N> {
  /** `undefined`: there is no tree. */
  readonly root: N | undefined;
  lookup(directory: N, name: Uint8Array): N | undefined;
  isDirectory(node: N): boolean;
  symlinkTarget(node: N): Uint8Array | undefined;
}

/**
 * What a path leads to, inside the root: `..` stops there and absolute symlinks begin there. A symlink at the end
 * is not followed (linkat follows none there). `undefined` where the path leads nowhere.
 */
export function followPath<N>(tree: FollowPath<N>, path: Uint8Array): N | undefined {
  if (tree.root === undefined) return undefined;
  const ahead = latin1(path).split('/').reverse();
  const above: N[] = [];
  let at: N = tree.root;
  let symlinks = 0;
  for (let steps = 0; ahead.length > 0; steps++) {
    if (steps > MAX_STEPS) return undefined;
    if (!tree.isDirectory(at)) return undefined;
    const name = ahead.pop() as string;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = above.pop() ?? tree.root;
      continue;
    }
    const next = tree.lookup(at, fromLatin1(name));
    if (next === undefined) return undefined;
    const target = ahead.length === 0 ? undefined : tree.symlinkTarget(next);
    if (target === undefined) {
      above.push(at);
      at = next;
      continue;
    }
    if (++symlinks > MAX_SYMLINKS) return undefined;
    const names = latin1(target).split('/');
    if (names[0] === '') {
      at = tree.root;
      above.length = 0;
    }
    for (const part of names.reverse()) ahead.push(part);
  }
  return at;
}
