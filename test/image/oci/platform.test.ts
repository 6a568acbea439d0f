import {
  bestPlatform,
  formatPlatform,
  machinePlatform,
  normalizePlatform,
  parsePlatform,
  platformRank,
  runnablePlatforms,
} from '../../../src/image/oci/platform.ts';

const parsed = (text: string) => formatPlatform(parsePlatform(text));

describe('a platform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/X86-64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['macos/arm64', 'darwin/arm64'],
    ['linux/riscv64', 'linux/riscv64'],
  ])('%s is %s', (text, platform) => {
    expect(parsed(text)).toBe(platform);
    expect(parsed(platform)).toBe(platform);
  });

  it('may be half of one where the machine is known', () => {
    const machine = machinePlatform('arm64', 'linux');
    expect(formatPlatform(parsePlatform('amd64', machine))).toBe('linux/amd64');
    expect(formatPlatform(parsePlatform('windows', machine))).toBe('windows/arm64');
    expect(formatPlatform(parsePlatform('armhf', machine))).toBe('linux/arm/v7');
    expect(() => parsePlatform('toaster', machine)).toThrow(
      expect.objectContaining({ code: 'bad-platform' }),
    );
  });

  it.each([
    '',
    'linux',
    '/',
    'linux/',
    '/amd64',
    'linux/arm/v7/x',
    'linux/*',
    'li nux/amd64',
    `linux/${'x'.repeat(65)}`,
  ])('%j is none', (text) => {
    expect(() => parsePlatform(text)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'bad-platform', fields: { platform: text } }),
    );
  });

  it.each([
    ['x64', 'linux', 'linux/amd64'],
    ['arm64', 'darwin', 'darwin/arm64'],
    ['arm', 'linux', 'linux/arm/v7'],
    ['ia32', 'win32', 'windows/386'],
    ['ppc64', 'linux', 'linux/ppc64le'],
    ['s390x', 'linux', 'linux/s390x'],
  ])("Node's %s on %s is %s", (arch, os, platform) =>
    expect(formatPlatform(machinePlatform(arch, os))).toBe(platform),
  );

  it('keeps a Windows build', () => {
    const platform = { os: 'windows', architecture: 'amd64', osVersion: '10.0.17763' };
    expect(normalizePlatform(platform)).toEqual(platform);
  });
});

describe('what a machine can run', () => {
  it.each([
    ['linux/amd64', ['linux/amd64', 'linux/386']],
    ['linux/amd64/v3', ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64', 'linux/386']],
    ['linux/arm/v7', ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v5', ['linux/arm/v5']],
    ['linux/arm64', ['linux/arm64', 'linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/s390x', ['linux/s390x']],
  ])('%s: %j', (machine, expected) => {
    expect(runnablePlatforms(parsePlatform(machine)).map(formatPlatform)).toEqual(expected);
  });

  it('arm64/v9.1 also runs v9 and v8.6 and below', () => {
    const names = runnablePlatforms(parsePlatform('linux/arm64/v9.1')).map(formatPlatform);
    expect(names.slice(0, 9)).toEqual([
      'linux/arm64/v9.1',
      'linux/arm64/v9',
      'linux/arm64/v8.6',
      'linux/arm64/v8.5',
      'linux/arm64/v8.4',
      'linux/arm64/v8.3',
      'linux/arm64/v8.2',
      'linux/arm64/v8.1',
      'linux/arm64',
    ]);
  });

  it('ranks candidates however they are spelled', () => {
    const machine = parsePlatform('linux/amd64');
    expect(platformRank(machine, { os: 'linux', architecture: 'x86_64', variant: 'v1' })).toBe(0);
    expect(platformRank(machine, { os: 'linux', architecture: 'i386' })).toBe(1);
    expect(platformRank(machine, { os: 'linux', architecture: 'arm64' })).toBeUndefined();
    expect(platformRank(machine, { os: 'windows', architecture: 'amd64' })).toBeUndefined();
  });

  it('takes the best of an index, the first of equals, nothing where nothing runs', () => {
    const candidate = (name: string, text?: string) =>
      text === undefined ? { name } : { name, platform: parsePlatform(text) };
    const candidates = [
      candidate('none'),
      candidate('v6', 'linux/arm/v6'),
      candidate('v7', 'linux/arm/v7'),
      candidate('again', 'linux/arm/v7'),
      candidate('amd64', 'linux/amd64'),
    ];
    expect(bestPlatform(parsePlatform('linux/arm/v7'), candidates)?.name).toBe('v7');
    expect(bestPlatform(parsePlatform('linux/arm/v6'), candidates)?.name).toBe('v6');
    expect(bestPlatform(parsePlatform('linux/s390x'), candidates)).toBeUndefined();
  });
});
