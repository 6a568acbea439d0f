import { Fault } from '../base/fault.ts';
import { nearestName } from './nearest-name.ts';
import { SETTING_NAMES, type SettingName, settingRow } from './settings-table.ts';

/** A value given for one setting, parsed. */
export interface SettingOverride {
  readonly name: SettingName;
  readonly value: unknown;
}

/**
 * One `--set <name>=<value>`, checked.
 * @throws Fault `invalid/bad-setting`, `invalid/unknown-setting`
 */
export function parseOverride(argument: string): SettingOverride {
  const equals = argument.indexOf('=');
  if (equals < 1) {
    throw new Fault('invalid', 'bad-setting', `--set ${JSON.stringify(argument)}: give <name>=<value>`, {
      fields: { key: argument },
    });
  }
  const name = knownSetting(argument.slice(0, equals).trim(), '--set');
  return { name, value: readValue(name, argument.slice(equals + 1), '--set') };
}

/**
 * @param where the file, or `--set`: named in the fault
 * @throws Fault `invalid/unknown-setting` with the nearest known name
 */
export function knownSetting(key: string, where: string): SettingName {
  const known = SETTING_NAMES.find((name) => name === key);
  if (known !== undefined) return known;
  const nearest = nearestName(key, SETTING_NAMES);
  throw new Fault(
    'invalid',
    'unknown-setting',
    `${where}: there is no setting ${JSON.stringify(key)}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
    { fields: { key, file: where, nearest } },
  );
}

/** @throws Fault `invalid/bad-setting` that names key, file and what would be right */
export function readValue(name: SettingName, raw: unknown, where: string): unknown {
  try {
    return settingRow(name).parse(raw);
  } catch (error) {
    throw new Fault('invalid', 'bad-setting', `${where}: ${name}: ${(error as Error).message}`, {
      cause: error,
      fields: { key: name, file: where },
    });
  }
}
