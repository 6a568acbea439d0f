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

/**
 * Whether these are bytes that {@link encodeXattrSet} writes of at least one attribute. Makes nothing: a hostile set
 * of millions of tiny attributes costs only its reading.
 */
export function isXattrSet(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let lastName = 0;
  let lastEnd = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEAD) return false;
    const name = at + HEAD;
    const nameEnd = name + view.getUint16(at, true);
    const end = nameEnd + view.getUint32(at + 2, true);
    if (end > bytes.length || nameEnd === name) return false;
    for (let i = name; i < nameEnd; i++) if (bytes[i] === 0) return false;
    if (at > 0 && !comesBefore(bytes, lastName, lastEnd, name, nameEnd)) return false;
    lastName = name;
    lastEnd = nameEnd;
    at = end;
  }
  return bytes.length > 0;
}

/** Whether the bytes of the first range sort before those of the second. */
function comesBefore(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  let [i, j] = [a, b];
  while (i < aEnd && j < bEnd && bytes[i] === bytes[j]) {
    i++;
    j++;
  }
  return j < bEnd && (i === aEnd || (bytes[i] as number) < (bytes[j] as number));
}

/** Views into the bytes of a set for which {@link isXattrSet} holds. */
export function decodeXattrSet(bytes: Uint8Array): Xattr[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const xattrs: Xattr[] = [];
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = at + HEAD + view.getUint16(at, true);
    const end = nameEnd + view.getUint32(at + 2, true);
    xattrs.push({ name: bytes.subarray(at + HEAD, nameEnd), value: bytes.subarray(nameEnd, end) });
    at = end;
  }
  return xattrs;
}

export function sortXattrs(xattrs: readonly Xattr[]): Xattr[] {
  return [...xattrs].sort((a, b) => Buffer.compare(a.name, b.name));
}
