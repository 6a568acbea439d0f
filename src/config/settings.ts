import { parseOverride } from './setting-value.ts';
import { readSettingsFile } from './settings-file.ts';
import { SETTING_NAMES, type Settings, settingRow } from './settings-table.ts';

export type { SettingName, Settings } from './settings-table.ts';

/** The defaults alone: what tests and tools without a root start from. */
export function defaultSettings(): Settings {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, settingRow(name).default])) as Settings;
}

/**
 * Reads `<root>/settings.toml` (a missing file is the defaults) and lays `set` over it.
 * @param set `<name>=<value>` as `--set` gives it
 * @throws Fault `invalid/bad-setting`, `invalid/unknown-setting` (fields: key, file, nearest), `invalid/bad-settings-file`
 */
export async function loadSettings(root: string, set: readonly string[] = []): Promise<Settings> {
  const values: Record<string, unknown> = { ...defaultSettings(), ...(await readSettingsFile(root)) };
  for (const argument of set) {
    const { name, value } = parseOverride(argument);
    values[name] = value;
  }
  return values as Settings;
}
