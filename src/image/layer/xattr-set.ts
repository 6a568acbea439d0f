import type { Xattr } from './layer-index.ts';

/** Bytes before name and value: u16 length of the name, u32 of the value. */
const HEAD = 6;

/**
 * One set of extended attributes: for each u16 and u32 lengths, name, value; in byte order of the names.
 * @param xattrs sorted, names distinct
 */
export function encodeXattrSet(xattrs: readonly Xattr[]): Buffer {
  const bytes = Buffer.alloc(xattrs.reduce((sum, x) => sum + HEAD + x.name.length + x.value.length, 0));
  let at = 0;
  for (const { name, value } of xattrs) {
    bytes.writeUInt16LE(name.length, at);
    bytes.writeUInt32LE(value.length, at + 2);
    bytes.set(name, at + HEAD);
    bytes.set(value, at + HEAD + name.length);
    at += HEAD + name.length + value.length;
  }
  return bytes;
}

/** Views into `bytes`; `undefined` where they are not what {@link encodeXattrSet} writes of at least one attribute. */
export function decodeXattrSet(bytes: Uint8Array): Xattr[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const xattrs: Xattr[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < HEAD) return undefined;
    const nameEnd = at + HEAD + view.getUint16(at, true);
    const end = nameEnd + view.getUint32(at + 2, true);
    if (end > bytes.length || nameEnd === at + HEAD) return undefined;
    const name = bytes.subarray(at + HEAD, nameEnd);
    const last = xattrs.at(-1);
    if (name.includes(0) || (last !== undefined && Buffer.compare(last.name, name) >= 0)) return undefined;
    xattrs.push({ name, value: bytes.subarray(nameEnd, end) });
    at = end;
  }
  return xattrs.length === 0 ? undefined : xattrs;
}

export function sortXattrs(xattrs: readonly Xattr[]): Xattr[] {
  return [...xattrs].sort((a, b) => Buffer.compare(a.name, b.name));
}
