import { latin1 } from '../../../src/image/layer/latin1.ts';
import type { LayerIndex } from '../../../src/image/layer/layer-index.ts';
import { inodeLine } from './model-layer.ts';
import { objectOf } from './tar-entries.ts';

export type ContentOf = (digest: Uint8Array) => string;

/** Contents by digest, for indexes that name objects only. */
export function contentsOf(contents: readonly string[]): ContentOf {
  const byDigest = new Map(contents.map((content) => [latin1(objectOf(content).hash), content]));
  return (digest) => byDigest.get(latin1(digest)) as string;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** An index in the lines of {@link ModelLayer.lines}. */
export function indexLines(index: LayerIndex, contentOf: ContentOf): string[] {
  const groups = new Map<number, string[]>();
  const owner = (entry: number): number =>
    index.hardlinkEntry(entry) < 0 ? entry : index.hardlinkEntry(entry);
  for (let entry = 0; entry < index.entryCount; entry++) {
    const names = groups.get(owner(entry)) ?? [];
    groups.set(owner(entry), [...names, `/${text(index.path(entry))}`]);
  }
  const lines: string[] = [];
  for (let entry = 0; entry < index.entryCount; entry++) {
    const path = text(index.path(entry));
    const from = owner(entry);
    const kind = index.kind(from);
    if (kind === 'whiteout') {
      lines.push(`/${path} whiteout`);
      continue;
    }
    const inode = {
      kind,
      mode: index.mode(entry),
      uid: index.uid(entry),
      gid: index.gid(entry),
      mtime: index.mtime(entry),
      xattrs: new Map(index.xattrs(entry).map(({ name, value }) => [text(name), text(value)])),
      implied: index.implied(entry),
      ...(kind === 'file' && { content: contentOf(index.objectDigest(index.object(from))) }),
      ...((kind === 'symlink' || kind === 'hardlink') && { link: text(index.linkTarget(from)) }),
      ...((kind === 'chardev' || kind === 'blockdev') && {
        device: `${index.devMajor(from)}:${index.devMinor(from)}`,
      }),
    };
    lines.push(inodeLine(path, inode, index.opaque(entry), groups.get(from) as string[]));
  }
  return lines.sort();
}
