import { readFileSync } from 'node:fs';
import { defaultSettings } from '../../src/config/settings.ts';
import { parseSettingsFile, renderSettingsFile } from '../../src/config/settings-file.ts';
import { renderSettingsPage } from '../../src/config/settings-page.ts';
import { SETTING_NAMES, type SettingName, settingRow } from '../../src/config/settings-table.ts';

/** A value of each setting that is not its default, as `--set` would give it. */
const OTHER: { readonly [Name in SettingName]: string } = {
  share: 'none',
  keepBlobs: 'never',
  'network.listen': '/ip4/127.0.0.1/tcp/0, /ip6/::1/tcp/4002',
  'network.announce': '/dns4/shp.example.org/tcp/4001',
  'network.bootstrap': '',
  'network.mdns': 'false',
  'network.lanOnly': 'true',
  'network.allow': '10.0.0.0/8,fd00::/8',
  'network.deny': '10.1.2.3',
  'network.maxConnections': '17',
  'names.trustMembers': 'all',
  'names.wait': '1m30s',
  'ids.full': 'true',
  'fetch.window': '20MB',
  'fetch.wait': '2m',
  'fetch.treeMax': '1GiB',
  'fetch.background': 'off',
  'fetch.backgroundRate': '5MB',
  'fetch.backgroundQuiet': '1s',
  'serve.uploadLimit': '20MB',
  'mount.wait': '5s',
  'mount.wholeAtOpen': '0',
  'mount.readahead': '1MiB',
  'mount.passthrough': 'off',
  'profile.record': 'false',
  'profile.window': '1m',
  'profile.runs': '1',
  'store.cacheMax': '1.5TiB',
  'store.keepInterrupted': '0',
  'store.reserve': '12345678',
  'limits.entries': '10',
  'limits.layerSize': '1GB',
  'limits.ratio': '9',
  'limits.json': '8MiB',
  'limits.layers': '9',
  'limits.manifests': '9',
  'limits.path': '1024',
  'limits.linkTarget': '1024',
  'limits.pax': '64KiB',
  'limits.sparseFragments': '9',
  'limits.xattrs': '9',
  'limits.xattrSize': '100',
  'limits.entryXattrs': '100',
  'limits.layerXattrs': '100kB',
  'limits.pushes': '1',
  'limits.pulls': '1',
  'log.level': 'debug',
  'docker.host': 'tcp://10.0.0.1:2375',
};

describe('the table of settings', () => {
  it.each(SETTING_NAMES)('%s: the default is valid, and prints to what reads back equal', (name) => {
    const row = settingRow(name);
    const read = parseSettingsFile(`${name} = ${row.print(row.default)}`, 'settings.toml');
    expect(read[name]).toEqual(row.default);
    expect(row.unit).not.toBe('');
    expect(row.reason).toMatch(/[.]$/);
  });

  it.each(SETTING_NAMES)('%s: another value goes through the settings file', (name) => {
    const value = settingRow(name).parse(OTHER[name]);
    expect(value).not.toEqual(settingRow(name).default);
    const file = renderSettingsFile([{ name, value }]);
    expect(parseSettingsFile(file, 'settings.toml')).toEqual({ [name]: value });
  });

  it('refuses a value of a wrong kind for every setting', () => {
    for (const name of SETTING_NAMES) {
      for (const wrong of [undefined, null, {}, 1.5, -1, [1], '\u0000']) {
        if (name === 'docker.host' && typeof wrong === 'string') continue;
        expect(() => settingRow(name).parse(wrong)).toThrow(/\S/);
      }
    }
  });
});

describe('the settings file', () => {
  it('that init writes holds every setting and sets none', () => {
    const file = renderSettingsFile();
    expect(parseSettingsFile(file, 'settings.toml')).toEqual({});
    for (const name of SETTING_NAMES) {
      const last = name.slice(name.indexOf('.') + 1);
      expect(file).toContain(`# ${last} = ${settingRow(name).print(settingRow(name).default)}\n`);
      expect(file).toContain(`# unit: ${settingRow(name).unit}\n`);
    }
  });

  it('with every comment taken away is the defaults', () => {
    const file = renderSettingsFile().replace(/^# ([A-Za-z]+ = )/gm, '$1');
    expect(parseSettingsFile(file, 'settings.toml')).toEqual(defaultSettings());
  });

  it.each([
    ['fetch.windwo = "1MiB"', 'fetch.windwo', 'fetch.window'],
    ['[fetch]\nwindwo = "1MiB"', 'fetch.windwo', 'fetch.window'],
    ['keepblobs = "auto"', 'keepblobs', 'keepBlobs'],
    ['window = "1MiB"', 'window', 'fetch.window'],
    ['zzzzzzzzzz = 1', 'zzzzzzzzzz', undefined],
  ])('names key, file and nearest name of an unknown setting: %j', (source, key, nearest) => {
    expect(() => parseSettingsFile(source, '/r/settings.toml')).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        code: 'unknown-setting',
        fields: { key, file: '/r/settings.toml', nearest },
      }),
    );
  });

  it('names key, file and what would be right of a wrong value', () => {
    expect(() => parseSettingsFile('[fetch]\nwindow = "1 parsec"', '/r/settings.toml')).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        code: 'bad-setting',
        message: expect.stringMatching(/settings.toml: fetch.window: .*1 parsec.*e\.g\. 64MiB/),
      }),
    );
  });

  it('that is no TOML is refused with the line', () => {
    expect(() => parseSettingsFile('a = = 1', '/r/settings.toml')).toThrow(
      expect.objectContaining({
        code: 'bad-settings-file',
        message: expect.stringContaining('/r/settings.toml'),
      }),
    );
  });
});

describe('docs/settings.md', () => {
  it('is what the table makes (node src/config/settings-page.ts > docs/settings.md)', () => {
    expect(readFileSync('docs/settings.md', 'utf8')).toBe(renderSettingsPage());
  });
});
