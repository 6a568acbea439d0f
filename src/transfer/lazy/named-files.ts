/**
 * What a content names that whoever uses it opens next. A guess from its text alone: what is not there is not found, what
 * is not used costs its bytes once.
 */
export interface NamedFiles {
  /** An ELF file: a program or a library. */
  readonly linked: boolean;
  /** File names of shared libraries, as an ELF file lists them. */
  readonly libraries: readonly string[];
  /** Absolute paths: the program that runs an ELF file or a script. */
  readonly programs: readonly string[];
  /** What a source or a configuration imports or includes, its parts by `/`; relative to its folder or one above. */
  readonly modules: readonly string[];
}

const ELF = 0x464c457f;
const HASH_BANG = 0x2123;
/** Text that is looked through: imports stand at the top. */
const MAX_TEXT = 64 * 1024;
const MAX_NAMES = 64;

/** One whole NUL-terminated string of a string table (ELF, gABI chapter 4). */
const LIBRARY = /(?<=\0)[\w+-][\w.+-]{0,120}\.so(?:\.\d[\w.]{0,20})?(?=\0)/g;
/** PT_INTERP. */
const INTERPRETER = /(?<=\0)\/[\w./+-]{1,120}\/ld[\w.+-]{1,60}(?=\0)/g;
/** Not indented: what stands in a function or a condition may never be run. */
const IMPORT = /^(?:import|from|include|require|load_module)\s*[("']*([\w./*-]{1,120})/gm;
const IMPORT_LIST = /^import[ \t]+([\w., \t]{1,400})$/gm;
const FROM_HERE = /^from[ \t]+\.[ \t]+import[ \t]+([\w, \t]{1,400})/gm;

const NONE: NamedFiles = { linked: false, libraries: [], programs: [], modules: [] };

/** @param bytes the content, or its beginning */
export function namedFiles(bytes: Uint8Array): NamedFiles {
  if (bytes.length < 16) return NONE;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.readUInt32LE(0) === ELF) {
    const text = view.toString('latin1');
    return {
      linked: true,
      libraries: unique(matches(text, LIBRARY)),
      programs: unique(matches(text, INTERPRETER)),
      modules: [],
    };
  }
  const text = view.toString('latin1', 0, Math.min(view.length, MAX_TEXT));
  if (text.includes('\0')) return NONE;
  const programs = view.readUInt16LE(0) === HASH_BANG ? hashBang(text) : [];
  return { linked: false, libraries: [], programs, modules: unique(importedModules(text)) };
}

function hashBang(text: string): string[] {
  const [path = '', argument = ''] = text.slice(2, text.indexOf('\n')).trim().split(/\s+/);
  return path.endsWith('/env') && /^[\w.+-]+$/.test(argument) ? [`/usr/bin/${argument}`] : [path];
}

function importedModules(text: string): string[] {
  const found: string[] = [];
  for (const [, name = ''] of text.matchAll(IMPORT)) found.push(name);
  for (const pattern of [IMPORT_LIST, FROM_HERE]) {
    for (const [, list = ''] of text.matchAll(pattern)) found.push(...list.split(/[,\s]+/));
  }
  return found.map(asPath).filter((name) => name !== '' && !name.includes('*'));
}

/** `a.b` is a module below a package, `./a.js` a file. */
function asPath(name: string): string {
  if (name.includes('/')) return name.replace(/^\.\//, '');
  return name.replace(/^\.+/, '').replaceAll('.', '/');
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([name]) => name);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].slice(0, MAX_NAMES);
}
