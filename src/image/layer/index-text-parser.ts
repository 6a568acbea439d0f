import { Fault, toFault } from '../../base/fault.ts';
import { unescapeBytes } from './byte-text.ts';
import type { DraftObject } from './draft-object.ts';
import { createEntryRows, type EntryRow, type EntryRows } from './entry-rows.ts';
import { decodeLayerIndex, encodeLayerIndex } from './index-codec.ts';
import { FLAG_IMPLIED, FLAG_LOWER_LINK, FLAG_OPAQUE, INDEX_VERSION } from './index-layout.ts';
import { fromLatin1, latin1 } from './latin1.ts';
import { ENTRY_KINDS, type EntryKind, type Xattr } from './layer-index.ts';

class BadLine extends Error {}

function expect<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new BadLine(`bad ${what}`);
  return value;
}

function number(text: string | undefined, what: string, base: 8 | 10 = 10): number {
  if (text === undefined || !(base === 8 ? /^[0-7]+$/ : /^-?[0-9]+$/).test(text))
    throw new BadLine(`bad ${what}`);
  return Number.parseInt(text, base);
}

function pair(text: string | undefined, separator: string, what: string): [number, number] {
  const parts = expect(text, what).split(separator);
  if (parts.length !== 2) throw new BadLine(`bad ${what}`);
  return [number(parts[0], what), number(parts[1], what)];
}

function hash(text: string | undefined): Uint8Array {
  if (text === undefined || !/^[0-9a-f]{64}$/.test(text)) throw new BadLine('bad digest');
  return Buffer.from(text, 'hex');
}

function bytes(text: string | undefined, what: string): Uint8Array {
  return expect(unescapeBytes(expect(text, what)), what);
}

/** `/a/b` as the bytes behind the slash. */
function path(text: string | undefined): Uint8Array {
  if (!text?.startsWith('/')) throw new BadLine('bad path');
  return bytes(text.slice(1), 'path');
}

function xattr(text: string): Xattr {
  const at = text.indexOf(':');
  const value = text.slice(at + 1);
  if (at < 0 || !/^([0-9a-f]{2})*$/.test(value)) throw new BadLine('bad xattr');
  return { name: bytes(text.slice(0, at), 'xattr'), value: Buffer.from(value, 'hex') };
}

/** Lines that came so far. */
interface Parsing {
  readonly objects: { hash: Uint8Array; size: number; leaves: Uint8Array[] }[];
  readonly entries: Map<string, number>;
  readonly rows: EntryRows;
}

function readObject(words: readonly string[], { objects }: Parsing): void {
  if (number(words[1], 'object number') !== objects.length) throw new BadLine('bad object number');
  objects.push({ size: number(words[2], 'size'), hash: hash(words[3]), leaves: [] });
}

function object(text: string, { objects }: Parsing): DraftObject {
  const { hash, size, leaves } = expect(objects[number(text, 'object')], 'object');
  return leaves.length === 0 ? { hash, size } : { hash, size, leaves: Buffer.concat(leaves) };
}

/** What `key=value` or a bare word behind the path says of an entry. */
function option(word: string, parsing: Parsing): Partial<EntryRow> {
  const at = word.indexOf('=');
  const value = word.slice(at + 1);
  switch (at < 0 ? word : word.slice(0, at)) {
    case 'implied':
      return { flags: FLAG_IMPLIED };
    case 'opaque':
      return { flags: FLAG_OPAQUE };
    case 'object':
      return { object: object(value, parsing) };
    case 'link':
      return { link: bytes(value, 'link') };
    case 'lower':
      return { link: path(value), flags: FLAG_LOWER_LINK };
    case 'to':
      return { hardlinkEntry: expect(parsing.entries.get(latin1(path(value))), 'hard link') };
    case 'device': {
      const [devMajor, devMinor] = pair(value, ':', 'device');
      return { devMajor, devMinor };
    }
    case 'xattr':
      return { xattrs: [xattr(value)] };
    default:
      throw new BadLine(`unknown word ${JSON.stringify(word)}`);
  }
}

function readEntry(words: readonly string[], parsing: Parsing): void {
  const { entries } = parsing;
  const [uid, gid] = pair(words[2], ':', 'owner');
  const [mtime, mtimeNanos] = pair(words[3], '.', 'time');
  const own = latin1(path(words[4]));
  const slash = own.lastIndexOf('/');
  const parent = own === '' ? 0 : expect(entries.get(own.slice(0, Math.max(0, slash))), 'parent');
  let row: EntryRow = {
    parent,
    name: fromLatin1(own.slice(slash + 1)),
    kind: words[0] as EntryKind,
    flags: 0,
    mode: number(words[1], 'mode', 8),
    uid,
    gid,
    mtime,
    mtimeNanos,
    xattrs: [],
  };
  for (const word of words.slice(5)) {
    const { flags = 0, xattrs = [], ...rest } = option(word, parsing);
    row = { ...row, ...rest, flags: row.flags | flags, xattrs: [...row.xattrs, ...xattrs] };
  }
  entries.set(own, entries.size);
  parsing.rows.add(row);
}

function readLine(line: string, lineNumber: number, parsing: Parsing): void {
  const words = line.split(' ');
  const kind = words[0] as string;
  if (lineNumber === 1) {
    if (line !== `shpindex ${INDEX_VERSION}`) throw new BadLine(`not "shpindex ${INDEX_VERSION}"`);
  } else if (kind === 'object') {
    readObject(words, parsing);
  } else if (kind === 'leaf') {
    expect(parsing.objects.at(-1), 'leaf').leaves.push(hash(words[1]));
  } else if ((ENTRY_KINDS as readonly string[]).includes(kind)) {
    readEntry(words, parsing);
  } else {
    throw new BadLine(`unknown kind ${JSON.stringify(kind)}`);
  }
}

/**
 * The bytes of an index from its text (see `formatLayerIndex`); empty lines and a line end at the end are allowed.
 * @throws Fault `invalid/bad-index-text` (fields: line), `corrupt/bad-layer-index` where the entries make no index
 */
export function parseLayerIndexText(text: string): Uint8Array {
  const lines = text.split('\n').filter((line) => line !== '');
  const count = lines.filter((line) =>
    (ENTRY_KINDS as readonly string[]).includes(line.split(' ', 1)[0] as string),
  );
  const parsing: Parsing = { objects: [], entries: new Map(), rows: createEntryRows(count.length) };
  for (const [i, line] of lines.entries()) {
    try {
      readLine(line, i + 1, parsing);
    } catch (thrown) {
      if (!(thrown instanceof BadLine)) throw toFault(thrown);
      throw new Fault('invalid', 'bad-index-text', `line ${i + 1} of an index's text: ${thrown.message}`, {
        fields: { line: i + 1 },
      });
    }
  }
  const encoded = encodeLayerIndex(parsing.rows.finish());
  decodeLayerIndex(encoded);
  return encoded;
}
