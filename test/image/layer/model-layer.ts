import type { Member } from './tar-entries.ts';

/** An inode of the model; the same object behind several paths is a hard link. */
export interface ModelInode {
  kind: string;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  xattrs: Map<string, string>;
  content?: string;
  link?: string;
  device?: string;
  implied: boolean;
}

/** What went wrong, by the code of the fault. */
export class ModelError extends Error {}

/**
 * A layer unpacked the slow and plain way: full paths in one map, every rule a loop over it. Written from the rules
 * alone, so that it shares no mistake with the code it is compared with.
 */
export class ModelLayer {
  files = new Map<string, ModelInode>([['', implied()]]);
  whiteouts = new Set<string>();
  opaques = new Set<string>();

  copy(): Pick<ModelLayer, 'files' | 'whiteouts' | 'opaques'> {
    const copies = new Map<ModelInode, ModelInode>();
    for (const inode of this.files.values()) copies.set(inode, { ...inode, xattrs: new Map(inode.xattrs) });
    return {
      files: new Map([...this.files].map(([path, inode]) => [path, copies.get(inode) as ModelInode])),
      whiteouts: new Set(this.whiteouts),
      opaques: new Set(this.opaques),
    };
  }

  unpack(member: Member): void {
    const path = clean(member.path);
    if (path === undefined) throw new ModelError('path-leaves-root');
    if (path === '') {
      if (member.type === 'directory') this.describe(this.files.get('') as ModelInode, member);
      return;
    }
    const parts = path.split('/');
    const name = parts.pop() as string;
    if (parts.some((part) => part.startsWith('.wh..wh.'))) return;
    if (name.startsWith('.wh..wh.') && name !== '.wh..wh..opq') return;
    if (name === '.wh.' || name === '.wh..' || name === '.wh...') throw new ModelError('bad-whiteout');
    const parent = this.resolve([], parts, { links: 40 });
    for (let i = 1; i <= parent.length; i++) {
      const above = parent.slice(0, i).join('/');
      if (!this.files.has(above)) this.files.set(above, implied());
    }
    const at = [...parent, name].join('/');
    if (name === '.wh..wh..opq') this.opaques.add(parent.join('/'));
    else if (name.startsWith('.wh.')) this.whiteouts.add([...parent, name.slice(4)].join('/'));
    else this.create(at, member);
  }

  create(path: string, member: Member): void {
    const there = this.files.get(path);
    if (there?.kind === 'directory' && member.type === 'directory') {
      this.describe(there, member);
      return;
    }
    this.removeAll(path);
    if (member.type === 'hardlink') {
      this.files.set(path, this.linked(path, member));
      return;
    }
    const inode: ModelInode = { ...implied(), kind: member.type, mode: 0o777 };
    if (member.type === 'file') inode.content = member.content ?? '';
    if (member.type === 'symlink') inode.link = member.link ?? '';
    if (member.type === 'chardev' || member.type === 'blockdev')
      inode.device = (member.device ?? [0, 0]).join(':');
    this.files.set(path, inode);
    const { mode } = inode;
    this.describe(inode, member);
    if (member.type === 'symlink') inode.mode = mode;
  }

  linked(path: string, member: Member): ModelInode {
    const parts = (clean(`/${member.link}`) as string).split('/');
    const name = parts.pop() as string;
    if (name === '') throw new ModelError('hardlink-to-directory');
    const target = [...this.resolve([], parts, { links: 40 }), name].join('/');
    if (target === path) throw new ModelError('hardlink-to-itself');
    const inode = this.files.get(target) ?? { ...implied(), kind: 'hardlink', link: target };
    if (inode.kind === 'directory') throw new ModelError('hardlink-to-directory');
    inode.xattrs.delete('security.capability');
    const { mode, mtime } = inode;
    this.describe(inode, member);
    if (inode.kind === 'symlink') Object.assign(inode, { mode, mtime });
    return inode;
  }

  describe(inode: ModelInode, member: Member): void {
    inode.mode = member.mode ?? 0o644;
    inode.uid = member.uid ?? 0;
    inode.gid = member.gid ?? 0;
    inode.mtime = member.mtime ?? 0;
    for (const [name, value] of Object.entries(member.xattrs ?? {})) inode.xattrs.set(name, value);
    inode.implied = false;
  }

  removeAll(path: string): void {
    const below = (other: string): boolean => other.startsWith(`${path}/`);
    for (const other of [...this.files.keys()]) if (other === path || below(other)) this.files.delete(other);
    for (const other of [...this.opaques]) if (other === path || below(other)) this.opaques.delete(other);
    for (const other of [...this.whiteouts]) if (below(other)) this.whiteouts.delete(other);
  }

  resolve(here: string[], ahead: string[], budget: { links: number }): string[] {
    const [name, ...rest] = ahead;
    if (name === undefined) return here;
    if (name === '' || name === '.') return this.resolve(here, rest, budget);
    if (name === '..') return this.resolve(here.slice(0, -1), rest, budget);
    const inode = this.files.get([...here, name].join('/'));
    if (inode === undefined || inode.kind === 'directory') return this.resolve([...here, name], rest, budget);
    if (inode.kind !== 'symlink') throw new ModelError('parent-not-directory');
    if (budget.links-- === 0) throw new ModelError('symlink-loop');
    const target = (inode.link as string).split('/');
    return this.resolve(target[0] === '' ? [] : here, [...target, ...rest], budget);
  }

  /** Lines `path kind …`, sorted; the names of one inode are told with it. */
  lines(): string[] {
    const lines: string[] = [];
    for (const [path, inode] of this.files) {
      const hidden = this.whiteouts.has(path);
      const opaque = inode.kind === 'directory' && (hidden || this.opaques.has(path));
      lines.push(
        inodeLine(path, { ...inode, implied: inode.implied && !hidden }, opaque, namesOf(this.files, inode)),
      );
    }
    for (const path of this.whiteouts) if (!this.files.has(path)) lines.push(`/${path} whiteout`);
    return lines.sort();
  }
}

export function implied(): ModelInode {
  return { kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, xattrs: new Map(), implied: true };
}

export function namesOf(files: ReadonlyMap<string, ModelInode>, inode: ModelInode): string[] {
  return [...files].filter(([, other]) => other === inode).map(([path]) => `/${path}`);
}

export function inodeLine(
  path: string,
  inode: Omit<ModelInode, 'content'> & { content?: string },
  opaque: boolean,
  names: readonly string[],
): string {
  const { kind, mode, uid, gid, mtime, xattrs } = inode;
  const facts = [
    kind,
    mode.toString(8),
    `${uid}:${gid}`,
    mtime,
    ...(inode.implied ? ['implied'] : []),
    ...(opaque ? ['opaque'] : []),
    ...(inode.content === undefined ? [] : [`content=${JSON.stringify(inode.content)}`]),
    ...(inode.link === undefined ? [] : [`link=${inode.link}`]),
    ...(inode.device === undefined ? [] : [`device=${inode.device}`]),
    ...[...xattrs].sort().map(([name, value]) => `${name}=${value}`),
    ...(names.length > 1 && kind !== 'hardlink' ? [`names=${[...names].sort().join(',')}`] : []),
  ];
  return `/${path} ${facts.join(' ')}`;
}

/** filepath.Clean in the simplest words. */
export function clean(path: string): string | undefined {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') {
      if (out.length === 0 && !path.startsWith('/')) return undefined;
      out.pop();
    } else if (part !== '' && part !== '.') out.push(part);
  }
  return out.join('/');
}
