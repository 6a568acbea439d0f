import { parseDuration, printDuration } from './duration.ts';
import type { Setting, SettingRow } from './setting.ts';
import { parseSize, printSize } from './size.ts';

/** The most entries that a list setting takes. */
const MAX_LIST = 1024;

function expected(raw: unknown, what: string): Error {
  return new Error(`${JSON.stringify(raw)} is not ${what}`);
}

/** A TOML basic string. JSON's escapes are a subset of TOML's, but for U+007F, which TOML wants escaped (toml.io v1.0). */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}

/** Bytes. `unit` says of what, where it is not plain bytes (`bytes a second`). */
export function size(
  row: SettingRow<number> & { readonly least?: number; readonly most?: number; readonly unit?: string },
): Setting<number> {
  return {
    default: row.default,
    reason: row.reason,
    unit: row.unit ?? 'bytes',
    parse: (raw) => {
      const bytes = typeof raw === 'number' || typeof raw === 'string' ? parseSize(String(raw)) : Number.NaN;
      if (Number.isNaN(bytes)) throw expected(raw, 'a size, e.g. 64MiB');
      inRange(bytes, row.least ?? 0, row.most, printSize);
      return bytes;
    },
    print: (value) => quoted(printSize(value)),
  };
}

/** Milliseconds in the program, `30s` for people. */
export function duration(row: SettingRow<number> & { readonly least?: number }): Setting<number> {
  return {
    default: row.default,
    reason: row.reason,
    unit: 'duration',
    parse: (raw) => {
      if (typeof raw !== 'string' && raw !== 0) throw expected(raw, 'a duration: give e.g. 30s or 5m');
      const milliseconds = parseDuration(String(raw));
      inRange(milliseconds, row.least ?? 0, undefined, printDuration);
      return milliseconds;
    },
    print: (value) => quoted(printDuration(value)),
  };
}

/** A whole number. */
export function count(
  row: SettingRow<number> & { readonly unit: string; readonly least?: number; readonly most?: number },
): Setting<number> {
  return {
    default: row.default,
    reason: row.reason,
    unit: row.unit,
    parse: (raw) => {
      const number =
        typeof raw === 'number' ? raw : typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : -1;
      if (!Number.isSafeInteger(number) || number < 0) throw expected(raw, `a whole number (${row.unit})`);
      inRange(number, row.least ?? 0, row.most, String);
      return number;
    },
    print: String,
  };
}

export function flag(row: SettingRow<boolean>): Setting<boolean> {
  return {
    default: row.default,
    reason: row.reason,
    unit: 'true or false',
    parse: (raw) => {
      if (raw === true || raw === 'true') return true;
      if (raw === false || raw === 'false') return false;
      throw expected(raw, 'true or false');
    },
    print: String,
  };
}

export function choice<const T extends string>(
  options: readonly T[],
  row: SettingRow<NoInfer<T>>,
): Setting<T> {
  return {
    default: row.default,
    reason: row.reason,
    unit: `one of ${options.join(', ')}`,
    parse: (raw) => {
      const found = options.find((option) => option === raw);
      if (found === undefined) throw expected(raw, `one of ${options.join(', ')}`);
      return found;
    },
    print: quoted,
  };
}

/** @param check throws an Error that says what would be right; answers the text as it is kept */
export function text(
  row: SettingRow<string> & { readonly unit: string; readonly check?: (value: string) => string },
): Setting<string> {
  return {
    default: row.default,
    reason: row.reason,
    unit: row.unit,
    parse: (raw) => {
      if (typeof raw !== 'string') throw expected(raw, `text (${row.unit})`);
      return row.check === undefined ? raw : row.check(raw);
    },
    print: quoted,
  };
}

/** Several texts. In the file a TOML list; in `--set` separated by commas, nothing for the empty list. */
export function list(
  row: SettingRow<readonly string[]> & { readonly unit: string; readonly check: (value: string) => string },
): Setting<readonly string[]> {
  return {
    default: row.default,
    reason: row.reason,
    unit: row.unit,
    parse: (raw) => {
      const entries: unknown = typeof raw === 'string' ? splitList(raw) : raw;
      if (!Array.isArray(entries) || entries.length > MAX_LIST) {
        throw expected(raw, `a list of at most ${MAX_LIST} (${row.unit})`);
      }
      return entries.map((entry) => {
        if (typeof entry !== 'string') throw expected(entry, `text (${row.unit})`);
        return row.check(entry);
      });
    },
    print: (value) => `[${value.map(quoted).join(', ')}]`,
  };
}

function splitList(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((entry) => entry.trim());
}

function inRange(value: number, least: number, most: number | undefined, print: (v: number) => string): void {
  if (value < least) throw new Error(`${print(value)} is less than ${print(least)}, the least that works`);
  if (most !== undefined && value > most)
    throw new Error(`${print(value)} is more than ${print(most)}, the most`);
}
