import { readFile } from 'node:fs/promises';
import { parse } from 'smol-toml';
import { Fault } from '../base/fault.ts';
import { rootLayout } from './root-layout.ts';
import { knownSetting, readValue, type SettingOverride } from './setting-value.ts';
import { SETTING_NAMES, type SettingName, type Settings, settingRow } from './settings-table.ts';
import { wrapWords } from './wrap-words.ts';

/** The largest settings file that is read. */
const MAX_FILE = 2 ** 20;

/**
 * The values that `<root>/settings.toml` sets; none where there is no file.
 * @throws Fault `invalid/bad-settings-file` (no TOML), `invalid/unknown-setting`, `invalid/bad-setting`,
 *   `denied/settings-unreadable`
 */
export async function readSettingsFile(root: string): Promise<Partial<Settings>> {
  const { settings: file } = rootLayout(root);
  let source: string;
  try {
    source = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Fault('denied', 'settings-unreadable', `${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
      fields: { file },
    });
  }
  return parseSettingsFile(source, file);
}

/** The same on text. @param file its name in faults */
export function parseSettingsFile(source: string, file: string): Partial<Settings> {
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [key, raw] of entriesOf(parseToml(source, file))) {
    const name = knownSetting(key, file);
    values[name] = readValue(name, raw, file);
  }
  return values as Partial<Settings>;
}

/**
 * A whole settings file: every setting with its unit, default and reason; commented out where it is the default, so
 * that a later version's better default is taken.
 */
export function renderSettingsFile(overrides: readonly SettingOverride[] = []): string {
  const lines = [
    '# Settings of this shp station. Every setting stands here; a line that begins with # is not set and shows its',
    '# default. Sizes are written as 64MiB or 20MB, durations as 30s or 5m. The station reads this at its start.',
  ];
  let group = '';
  for (const name of SETTING_NAMES) {
    const row = settingRow(name);
    const dot = name.indexOf('.');
    if (dot !== -1 && name.slice(0, dot) !== group) {
      group = name.slice(0, dot);
      lines.push('', `[${group}]`);
    }
    const override = overrides.findLast((given) => given.name === name);
    const assignment = `${name.slice(dot + 1)} = ${row.print(override?.value ?? row.default)}`;
    lines.push('', ...wrapWords(row.reason, 108).map((line) => `# ${line}`), `# unit: ${row.unit}`);
    if (override === undefined) lines.push(`# ${assignment}`);
    else lines.push(`# default: ${row.print(row.default)}`, assignment);
  }
  return `${lines.join('\n')}\n`;
}

function parseToml(source: string, file: string): Record<string, unknown> {
  try {
    if (source.length > MAX_FILE) throw new Error(`it is larger than ${MAX_FILE} bytes`);
    return parse(source);
  } catch (error) {
    throw new Fault('invalid', 'bad-settings-file', `${file}: ${(error as Error).message.trimEnd()}`, {
      cause: error,
      fields: { file },
    });
  }
}

/** `[fetch] window = 1` and `fetch.window = 1` are one key; deeper tables are no settings and fail by their name. */
function* entriesOf(table: Record<string, unknown>): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(table)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) yield [key, value];
    else for (const [inner, raw] of Object.entries(value)) yield [`${key}.${inner}`, raw];
  }
}
