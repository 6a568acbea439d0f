import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { leafCount } from '../../src/image/dag/file-dag.ts';
import { createFileHasher, type HashedFile } from '../../src/image/dag/file-hasher.ts';
import { decodeLayerIndex, encodeLayerIndex } from '../../src/image/layer/index-codec.ts';
import { createLayerDraft } from '../../src/image/layer/layer-draft.ts';
import type { LayerIndex } from '../../src/image/layer/layer-index.ts';
import { DEFAULT_LAYER_LIMITS } from '../../src/image/layer/layer-limits.ts';
import type { TarEntry, TarEntryType } from '../../src/image/tar/tar-entry.ts';
import { bitmapLength, setBit } from '../../src/store/leaf-bitmap.ts';
import { storeLayout } from '../../src/store/store-layout.ts';

/** One member of a layer's tar. Texts hold one byte a character (latin1). */
export interface StoredEntry {
  readonly type: TarEntryType;
  readonly path: string;
  readonly content?: Uint8Array | string;
  /** Symlink or hard link. */
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly mtimeNanos?: number;
  readonly device?: readonly [number, number];
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const contentOf = ({ content = '' }: StoredEntry) =>
  typeof content === 'string' ? latin1(content) : content;

export function hashOf(bytes: Uint8Array): HashedFile {
  const hasher = createFileHasher();
  hasher.update(bytes);
  return hasher.finish();
}

function tarEntry(entry: StoredEntry): TarEntry {
  const size = entry.type === 'file' ? contentOf(entry).length : 0;
  return {
    type: entry.type,
    path: latin1(entry.path),
    linkPath: latin1(entry.link ?? ''),
    mode: entry.mode ?? (entry.type === 'directory' ? 0o755 : 0o644),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    size,
    storedSize: size,
    mtime: entry.mtime ?? 1_600_000_000,
    mtimeNanos: entry.mtimeNanos ?? 0,
    devMajor: entry.device?.[0] ?? 0,
    devMinor: entry.device?.[1] ?? 0,
    xattrs: Object.entries(entry.xattrs ?? {}).map(([name, value]) => ({ name: latin1(name), value })),
  };
}

/** The bytes of the index of a layer whose tar has these members. */
export function indexBytes(entries: readonly StoredEntry[]): Uint8Array {
  const draft = createLayerDraft(DEFAULT_LAYER_LIMITS);
  const hashed = new Map<Uint8Array | string, HashedFile>();
  for (const entry of entries) {
    if (entry.type !== 'file') {
      draft.add(tarEntry(entry));
      continue;
    }
    const key = entry.content ?? '';
    const object = hashed.get(key) ?? hashOf(contentOf(entry));
    hashed.set(key, object);
    const { hash, size, leaves } = object;
    draft.add(tarEntry(entry), leaves === undefined ? { hash, size } : { hash, size, leaves });
  }
  return encodeLayerIndex(draft.finish());
}

export function indexOf(entries: readonly StoredEntry[]): LayerIndex {
  return decodeLayerIndex(indexBytes(entries));
}

/** Puts bytes into `cas/` under their CID. */
export function storeObject(root: string, bytes: Uint8Array): string {
  const cid = hashOf(bytes).cid.toString();
  const path = storeLayout(root).object(cid);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return cid;
}

/** Some leaves of an object into `partial/`, others stay holes. */
export function storeLeaves(root: string, bytes: Uint8Array, leaves: readonly number[]): void {
  const cid = hashOf(bytes).cid.toString();
  const layout = storeLayout(root);
  mkdirSync(layout.partials, { recursive: true });
  const file = Buffer.alloc(bytes.length);
  const bits = new Uint8Array(bitmapLength(leafCount(bytes.length)));
  for (const leaf of leaves) {
    file.set(bytes.subarray(leaf * 262_144, (leaf + 1) * 262_144), leaf * 262_144);
    setBit(bits, leaf);
  }
  writeFileSync(layout.partial(cid), file);
  writeFileSync(layout.bits(cid), bits);
}

/**
 * A layer's index, and its objects unless they are left out, in `cas/`.
 * @returns the index's CID
 */
export function storeLayer(root: string, entries: readonly StoredEntry[], objects = true): string {
  if (objects) {
    const contents = new Set(
      entries.filter(({ type }) => type === 'file').map(({ content = '' }) => content),
    );
    for (const content of contents)
      storeObject(root, typeof content === 'string' ? latin1(content) : content);
  }
  return storeObject(root, indexBytes(entries));
}
