import { createFileHasher } from '../../../src/image/dag/file-hasher.ts';
import type { DraftObject } from '../../../src/image/layer/draft-object.ts';
import { createLayerDraft } from '../../../src/image/layer/layer-draft.ts';
import type { LayerEntries } from '../../../src/image/layer/layer-entries.ts';
import { DEFAULT_LAYER_LIMITS, type LayerLimits } from '../../../src/image/layer/layer-limits.ts';
import type { TarEntry, TarEntryType } from '../../../src/image/tar/tar-entry.ts';

/** One member of a tar as a test writes it. */
export interface Member {
  readonly type: TarEntryType;
  readonly path: string;
  readonly link?: string;
  readonly content?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly xattrs?: Readonly<Record<string, string>>;
  readonly device?: readonly [number, number];
}

const encoder = new TextEncoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The object of a content; texts are hashed once, tests use few. */
export function objectOf(content: Uint8Array | string): DraftObject {
  if (typeof content !== 'string') return hashed(content);
  let object = objects.get(content);
  if (object === undefined) {
    object = hashed(bytesOf(content));
    objects.set(content, object);
  }
  return object;
}

const objects = new Map<string, DraftObject>();

function hashed(content: Uint8Array): DraftObject {
  const hasher = createFileHasher();
  hasher.update(content);
  const { hash, size, leaves } = hasher.finish();
  return leaves === undefined ? { hash, size } : { hash, size, leaves };
}

export function tarEntry(member: Member): TarEntry {
  const size = member.type === 'file' ? bytesOf(member.content ?? '').length : 0;
  return {
    type: member.type,
    path: bytesOf(member.path),
    linkPath: bytesOf(member.link ?? ''),
    mode: member.mode ?? 0o644,
    uid: member.uid ?? 0,
    gid: member.gid ?? 0,
    size,
    storedSize: size,
    mtime: member.mtime ?? 0,
    mtimeNanos: 0,
    devMajor: member.device?.[0] ?? 0,
    devMinor: member.device?.[1] ?? 0,
    xattrs: Object.entries(member.xattrs ?? {}).map(([name, value]) => ({
      name: bytesOf(name),
      value: bytesOf(value),
    })),
  };
}

export function draftOf(
  members: readonly Member[],
  limits: LayerLimits = DEFAULT_LAYER_LIMITS,
): LayerEntries {
  const draft = createLayerDraft(limits);
  for (const member of members) {
    draft.add(tarEntry(member), member.type === 'file' ? objectOf(member.content ?? '') : undefined);
  }
  return draft.finish();
}

export const directory = (path: string, more: Partial<Member> = {}): Member => ({
  type: 'directory',
  path,
  mode: 0o755,
  ...more,
});
export const file = (path: string, content = path, more: Partial<Member> = {}): Member => ({
  type: 'file',
  path,
  content,
  ...more,
});
export const symlink = (path: string, link: string, more: Partial<Member> = {}): Member => ({
  type: 'symlink',
  path,
  link,
  ...more,
});
export const hardlink = (path: string, link: string, more: Partial<Member> = {}): Member => ({
  type: 'hardlink',
  path,
  link,
  ...more,
});
