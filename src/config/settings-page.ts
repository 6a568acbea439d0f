import { SETTING_NAMES, settingRow } from './settings-table.ts';

/**
 * docs/settings.md, made from the table: `node src/config/settings-page.ts > docs/settings.md` after any change of a
 * row (a test compares).
 */
export function renderSettingsPage(): string {
  const lines = [
    '# Settings',
    '',
    'Made from `src/config/settings-table.ts` by `node src/config/settings-page.ts > docs/settings.md`; not edited by hand.',
    '',
    'A value comes from, the later wins: the default, `<root>/settings.toml` (written by `dkr-shp init`, every setting',
    'in it with its unit, default and reason), `--set <name>=<value>` of `dkr-shp start` (may be given many times; lists',
    'separated by commas), which is the way for containers. An unknown name is an error that names the nearest known one.',
    'The station reads its settings when it starts.',
    '',
    'Sizes are written as `64MiB` or `20MB` (or plain bytes), durations as `30s`, `5m`, `1h30m` or `250ms`.',
  ];
  let group = '';
  for (const name of SETTING_NAMES) {
    const row = settingRow(name);
    const dot = name.indexOf('.');
    if (dot !== -1 && name.slice(0, dot) !== group) {
      group = name.slice(0, dot);
      lines.push('', `## ${group}`);
    }
    lines.push('', `### ${name}`, '', row.reason, '', `Default \`${row.print(row.default)}\`; ${row.unit}.`);
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) process.stdout.write(renderSettingsPage());
