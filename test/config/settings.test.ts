import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSettings, loadSettings } from '../../src/config/settings.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shp-settings-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('loadSettings', () => {
  it('is the defaults where there is no file', async () => {
    expect(await loadSettings(root)).toEqual(defaultSettings());
  });

  it('lays the file over the defaults and --set over the file', async () => {
    writeFileSync(join(root, 'settings.toml'), 'share = "none"\n[fetch]\nwindow = "64MiB"\nwait = "5s"\n');
    const settings = await loadSettings(root, ['fetch.window=20MB', 'network.listen=/ip4/127.0.0.1/tcp/0']);
    expect(settings).toMatchObject({
      share: 'none',
      'fetch.window': 20_000_000,
      'fetch.wait': 5000,
      'network.listen': ['/ip4/127.0.0.1/tcp/0'],
    });
  });

  it.each([
    'fetch.window',
    '=1',
    'fetch.nothing=1',
    'fetch.window=many',
    'network.listen=4001',
    'network.deny=10.0.0.0/33',
  ])('refuses --set %s', async (set) => {
    await expect(loadSettings(root, [set])).rejects.toMatchObject({ kind: 'invalid' });
  });
});
