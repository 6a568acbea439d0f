import { defaultSettings } from '../../src/config/settings.ts';
import { SETTING_NAMES, type Settings } from '../../src/config/settings-table.ts';
import {
  lazySettings,
  mountSettings,
  storeSettings,
  swarmSettings,
  transferSettings,
} from '../../src/station/station-settings.ts';

/** Taken where they act: by the operations' turns, the log, the command line; nothing drops kept blobs by itself yet. */
const ELSEWHERE = ['limits.pushes', 'limits.pulls', 'log.level', 'docker.host'];

const here = { root: '/r', isPrivate: false, arch: 'x64', os: 'linux' };

it('every setting reaches a room', () => {
  const read = new Set<string>(ELSEWHERE);
  const settings = new Proxy(defaultSettings(), {
    get: (all, name: string) => {
      read.add(name);
      return all[name as keyof Settings];
    },
  });
  storeSettings(settings);
  swarmSettings(settings, undefined);
  transferSettings(settings, here);
  lazySettings(settings);
  mountSettings(settings);
  expect([...read].sort()).toEqual([...SETTING_NAMES].sort());
});

it('a path may be as long as the setting says', () => {
  const { limits } = transferSettings({ ...defaultSettings(), 'limits.path': 1024 }, here);
  expect(limits.tar.pathBytes).toBe(1024);
});

it('a small disk may have a small reserve', () => {
  expect(storeSettings({ ...defaultSettings(), 'store.reserve': 2 ** 20 }).reserveBytes).toBe(2 ** 20);
});

it('the public bootstrap peers are not dialled from a private network', () => {
  const settings = defaultSettings();
  const own = '/ip4/10.0.0.1/tcp/4001';
  const mixed = { ...settings, 'network.bootstrap': [...settings['network.bootstrap'], own] };
  expect(swarmSettings(mixed, new Uint8Array(32)).bootstrap).toEqual([own]);
  expect(swarmSettings(mixed, undefined).bootstrap).toEqual(mixed['network.bootstrap']);
});
