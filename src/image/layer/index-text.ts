import { escapeBytes } from './byte-text.ts';
import { INDEX_VERSION } from './index-layout.ts';
import type { LayerIndex } from './layer-index.ts';

export { parseLayerIndexText } from './index-text-parser.ts';

/** Bytes in a line: no blanks, no control characters, no `:` (it parts the name of an xattr from its value). */
export function lineText(bytes: Uint8Array): string {
  return escapeBytes(bytes, (byte) => byte <= 0x20 || byte === 0x7f || byte === 0x3a);
}

export function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Mode, owner and time of an entry: `0644 0:0 1700000000.000000000`. */
export function attributeText(index: LayerIndex, entry: number): string {
  const mode = index.mode(entry).toString(8).padStart(4, '0');
  const nanos = index.mtimeNanos(entry).toString().padStart(9, '0');
  return `${mode} ${index.uid(entry)}:${index.gid(entry)} ${index.mtime(entry)}.${nanos}`;
}

export function xattrText(index: LayerIndex, entry: number): string {
  return index
    .xattrs(entry)
    .map(({ name, value }) => ` xattr=${lineText(name)}:${hexText(value)}`)
    .join('');
}

function entryText(index: LayerIndex, entry: number): string {
  const kind = index.kind(entry);
  let line = `${kind} ${attributeText(index, entry)} /${lineText(index.path(entry))}`;
  if (index.implied(entry)) line += ' implied';
  if (index.opaque(entry)) line += ' opaque';
  if (kind === 'file') line += ` object=${index.object(entry)}`;
  if (kind === 'symlink') line += ` link=${lineText(index.linkTarget(entry))}`;
  if (kind === 'hardlink') {
    const key = index.hardlinkEntry(entry) < 0 ? 'lower' : 'to';
    line += ` ${key}=/${lineText(index.linkTarget(entry))}`;
  }
  if (kind === 'chardev' || kind === 'blockdev') {
    line += ` device=${index.devMajor(entry)}:${index.devMinor(entry)}`;
  }
  return line + xattrText(index, entry);
}

/**
 * An index as lines without line ends: `shpindex 1`; for each object `object <number> <size> <digest>` and for each
 * of its leaves, where there are several, `leaf <digest>`; for each entry kind, mode, owner, time, path and what its
 * kind has. Bytes that are not printable UTF-8, `%`, `:` and blanks are written `%XX`.
 */
export function* formatLayerIndex(index: LayerIndex): Iterable<string> {
  yield `shpindex ${INDEX_VERSION}`;
  for (let object = 0; object < index.objectCount; object++) {
    yield `object ${object} ${index.objectSize(object)} ${hexText(index.objectDigest(object))}`;
    const leaves = index.objectLeaves(object) ?? new Uint8Array(0);
    for (let at = 0; at < leaves.length; at += 32) yield `leaf ${hexText(leaves.subarray(at, at + 32))}`;
  }
  for (let entry = 0; entry < index.entryCount; entry++) yield entryText(index, entry);
}
