import { Fault } from '../../base/fault.ts';
import { badIndex } from './bad-index.ts';
import { checkEntries } from './entry-check.ts';
import { checkHeaps } from './heap-check.ts';
import { type IndexColumns, indexColumns } from './index-columns.ts';
import {
  align8,
  COUNT_NAMES,
  COUNTS_OFFSET,
  HEADER_SIZE,
  INDEX_MAGIC,
  INDEX_SECTIONS,
  INDEX_VERSION,
  type IndexCounts,
  type IndexSection,
  type SectionName,
  TABLE_OFFSET,
} from './index-layout.ts';
import { DEFAULT_INDEX_LIMITS, type IndexLimits } from './index-limits.ts';
import type { LayerEntries } from './layer-entries.ts';
import type { LayerIndex } from './layer-index.ts';
import { packedIndex } from './packed-index.ts';

/** The bytes of a layer index: a pure function of the entries. */
export function encodeLayerIndex(entries: LayerEntries): Uint8Array {
  const end = entries.sections.reduce((at, section) => align8(at) + section.length, HEADER_SIZE);
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  bytes.set(INDEX_MAGIC);
  view.setUint32(8, INDEX_VERSION, true);
  view.setUint32(12, INDEX_SECTIONS.length, true);
  const counts = [
    entries.entryCount,
    entries.objectCount,
    entries.linkCount,
    entries.deviceCount,
    entries.xattrSetCount,
  ];
  counts.forEach((count, i) => {
    view.setUint32(COUNTS_OFFSET + i * 4, count, true);
  });
  let at = HEADER_SIZE;
  entries.sections.forEach((section, i) => {
    at = align8(at);
    view.setBigUint64(TABLE_OFFSET + i * 16, BigInt(at), true);
    view.setBigUint64(TABLE_OFFSET + i * 16 + 8, BigInt(section.length), true);
    bytes.set(section, at);
    at += section.length;
  });
  return bytes;
}

/**
 * Reads an index without copying it (unless `bytes` do not begin on an 8-byte boundary): do not change `bytes`
 * afterwards. Everything is checked, so that all getters are safe on any index that is answered and encoding it
 * again would give the same bytes; only the hashes are not (see `verifyObjects`).
 * @throws Fault `corrupt/bad-layer-index`, `unsupported/layer-index-version`, `invalid/layer-index-too-big`
 */
export function decodeLayerIndex(bytes: Uint8Array, limits: IndexLimits = DEFAULT_INDEX_LIMITS): LayerIndex {
  if (bytes.length > limits.bytes) throw tooBig('bytes', bytes.length, limits.bytes);
  const columns = readColumns(bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes), limits);
  const firstLeaf = checkHeaps(columns);
  const firstChild = checkEntries(columns);
  return packedIndex(columns, firstLeaf, firstChild);
}

function tooBig(what: string, value: number, limit: number): Fault {
  return new Fault(
    'invalid',
    'layer-index-too-big',
    `a layer index of ${value} ${what}; ${limit} are allowed`,
    {
      fields: { what, value, limit },
    },
  );
}

function readColumns(bytes: Uint8Array, limits: IndexLimits): IndexColumns {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_SIZE) throw badIndex(`${bytes.length} bytes are shorter than its header`);
  if (INDEX_MAGIC.some((byte, i) => bytes[i] !== byte)) throw badIndex('it does not begin with "shpindex"');
  const version = view.getUint32(8, true);
  if (version !== INDEX_VERSION) {
    throw new Fault('unsupported', 'layer-index-version', `a layer index of version ${version}`, {
      fields: { version },
    });
  }
  if (view.getUint32(12, true) !== INDEX_SECTIONS.length) throw badIndex('number of sections');
  if (view.getUint32(TABLE_OFFSET - 4, true) !== 0) throw badIndex('the reserved word is not 0');
  const counts = Object.fromEntries(
    COUNT_NAMES.map((name, i) => [name, view.getUint32(COUNTS_OFFSET + i * 4, true)]),
  ) as unknown as IndexCounts;
  if (counts.entries > limits.entries) throw tooBig('entries', counts.entries, limits.entries);

  const sections = new Map<string, Uint8Array>();
  let at = HEADER_SIZE;
  for (const [i, section] of (INDEX_SECTIONS as readonly IndexSection[]).entries()) {
    const begin = align8(at);
    const length = Number(view.getBigUint64(TABLE_OFFSET + i * 16 + 8, true));
    if (Number(view.getBigUint64(TABLE_OFFSET + i * 16, true)) !== begin) {
      throw badIndex(`section ${section.name} does not follow the one before it`);
    }
    if (
      length > bytes.length - begin ||
      (section.length !== undefined && length !== section.length(counts))
    ) {
      throw badIndex(`section ${section.name} has ${length} bytes`);
    }
    for (let pad = at; pad < begin; pad++) if (bytes[pad] !== 0) throw badIndex(`padding at byte ${pad}`);
    sections.set(section.name, bytes.subarray(begin, begin + length));
    at = begin + length;
  }
  if (at !== bytes.length) throw badIndex(`${bytes.length - at} bytes behind the last section`);
  const xattrBytes = sections.get('xattrs')?.length ?? 0;
  if (xattrBytes > limits.xattrBytes) throw tooBig('bytes of xattrs', xattrBytes, limits.xattrBytes);
  return indexColumns(counts, (name: SectionName) => sections.get(name) as Uint8Array);
}
