import { implied, inodeLine, type ModelInode, type ModelLayer, namesOf } from './model-layer.ts';

/** Layers applied to one flat map, bottom first, as layer.md of the OCI image spec tells it. */
export function modelMerge(layers: readonly ModelLayer[]): string[] {
  const state = new Map<string, ModelInode>([['', implied()]]);
  const remove = (path: string, itself: boolean): void => {
    for (const other of [...state.keys()]) {
      if ((itself && other === path) || other.startsWith(path === '' ? '' : `${path}/`)) {
        if (other !== '') state.delete(other);
      }
    }
  };
  for (const layer of layers) {
    const lower = new Map(state);
    for (const path of layer.whiteouts) remove(path, true);
    for (const path of layer.opaques) remove(path, false);
    const paths = [...layer.files].sort(([a], [b]) => a.split('/').length - b.split('/').length);
    for (const [path, inode] of paths) {
      const there = state.get(path);
      if (inode.kind === 'directory') {
        if (there?.kind === 'directory' && inode.implied) continue;
        if (there !== undefined && there.kind !== 'directory') remove(path, true);
        state.set(path, { ...inode });
        continue;
      }
      remove(path, true);
      const shown = inode.kind === 'hardlink' ? resolve(lower, (inode.link as string).split('/')) : inode;
      if (shown !== undefined) state.set(path, shown);
    }
  }
  return [...state]
    .map(([path, inode]) =>
      inodeLine(
        path,
        { ...inode, implied: false },
        false,
        inode.kind === 'directory' ? [] : namesOf(state, inode),
      ),
    )
    .sort();
}

function resolve(files: ReadonlyMap<string, ModelInode>, parts: string[]): ModelInode | undefined {
  let budget = 40;
  const walk = (here: string[], ahead: string[]): ModelInode | undefined => {
    const [name, ...rest] = ahead;
    const inode = files.get(here.join('/'));
    if (name === undefined) return inode?.kind === 'directory' ? undefined : inode;
    if (inode?.kind !== 'directory') return undefined;
    if (name === '' || name === '.') return walk(here, rest);
    if (name === '..') return walk(here.slice(0, -1), rest);
    const next = files.get([...here, name].join('/'));
    if (next?.kind !== 'symlink' || rest.length === 0) return walk([...here, name], rest);
    if (budget-- === 0) return undefined;
    const target = (next.link as string).split('/');
    return walk(target[0] === '' ? [] : here, [...target, ...rest]);
  };
  return walk([], parts);
}
