import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const VERSION = JSON.parse(readFileSync('package.json', 'utf8')).version;
const SYSTEM = '/usr/local/bin:/usr/bin:/bin';
/** npm is not bound to the Node of this checkout; its own comes first for the install scripts. */
const NPM_PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? SYSTEM}`;

let folder: string;
let tarball: string;
/** A PATH whose `node` is too old: whoever runs it fails. */
let oldPath: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shp-package-'));
  npm(['pack', '--silent', '--pack-destination', folder], process.cwd());
  tarball = join(folder, `dkr-shp-${VERSION}.tgz`);
  const bin = join(folder, 'old-bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'node'), '#!/bin/sh\n[ "$1" = --version ] && { echo v20.20.2; exit 0; }\nexit 1\n');
  chmodSync(join(bin, 'node'), 0o755);
  oldPath = `${bin}:${SYSTEM}`;
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

function npm(args: readonly string[], cwd: string): void {
  execFileSync('npm', [...args], {
    cwd,
    env: { ...process.env, PATH: NPM_PATH },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function run(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { PATH: oldPath, HOME: folder, ...env },
    cwd: folder,
  });
  return { code: status, out: stdout, err: stderr };
}

describe('the packed tarball', () => {
  it('holds what is run and read, and no sources', () => {
    const names = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trimEnd().split('\n');
    for (const name of [
      'bin/dkr-shp',
      'dist/dkr-shp.js',
      'dist/station.js',
      'docs/settings.md',
      'package.json',
    ]) {
      expect(names).toContain(`package/${name}`);
    }
    expect(names.filter((name) => /^package\/(src|test|node_modules|scripts)\//.test(name))).toEqual([]);
    expect(names.filter((name) => name.endsWith('.ts'))).toEqual([]);
  });

  it('installed into an empty folder runs on the Node it brought, whatever the machine has', () => {
    const at = join(folder, 'local');
    mkdirSync(at);
    npm(['install', '--silent', '--prefer-offline', '--no-save', '--prefix', at, tarball], at);
    for (const name of ['dkr-shp', 'shp']) {
      expect(run(join(at, 'node_modules/.bin', name), ['--version'])).toEqual({
        code: 0,
        out: `${VERSION}\n`,
        err: '',
      });
    }
  }, 300_000);

  it('installed globally runs a whole station', () => {
    const prefix = join(folder, 'global');
    npm(['install', '--silent', '--prefer-offline', '--global', '--prefix', prefix, tarball], folder);
    const shp = (...args: string[]) =>
      run(join(prefix, 'bin/dkr-shp'), args, { SHP_ROOT: join(folder, 'root') });
    const set = ['--set', 'network.listen=/ip4/127.0.0.1/tcp/0', '--set', 'network.mdns=false'];
    expect(shp('init', '--net', 'a passphrase for the test of the package', ...set).code).toBe(0);
    const started = shp('start');
    try {
      expect(started).toEqual({
        code: 0,
        out: expect.stringMatching(/^started shp station \(registry\) [0-9a-f]{16}\n$/),
        err: '',
      });
      const status = JSON.parse(shp('--json', 'status').out);
      expect(status).toMatchObject({ version: VERSION, images: 0, network: { kind: 'private' } });
      expect(readFileSync(`/proc/${status.pid}/cmdline`, 'utf8')).toMatch(
        /node_modules\/node-linux-[a-z0-9]+\/bin\/node/,
      );
    } finally {
      expect(shp('stop')).toMatchObject({ code: 0, out: expect.stringMatching(/^stopped/) });
    }
  }, 300_000);
});

describe('the launcher without a Node of its own', () => {
  let launcher: string;
  beforeAll(() => {
    const at = join(folder, 'bare');
    mkdirSync(at);
    execFileSync('tar', ['-xzf', tarball, '-C', at]);
    launcher = join(at, 'package/bin/dkr-shp');
  });

  it('says what to do when the one on PATH is too old', () => {
    const { code, out, err } = run(launcher, ['--version']);
    expect([code, out]).toEqual([9, '']);
    expect(err).toMatch(
      /^error: dkr-shp needs Node 22\.15 or newer, .*old-bin\/node is v20\.20\.2; .*--include=optional/,
    );
  });

  it('says so when there is none', () => {
    // The tools that the launcher needs, and no node among them.
    const bin = join(folder, 'no-node');
    mkdirSync(bin);
    for (const name of ['sh', 'dirname', 'readlink', 'uname']) {
      symlinkSync(
        execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(),
        join(bin, name),
      );
    }
    const { code, err } = run(launcher, ['--version'], { PATH: bin });
    expect([code, err]).toEqual([9, expect.stringContaining('there is none')]);
    expect(readdirSync(bin)).not.toContain('node');
  });

  it('takes one on PATH that is new enough, through any chain of links', () => {
    symlinkSync(launcher, join(folder, 'first'));
    mkdirSync(join(folder, 'a b'));
    symlinkSync('../first', join(folder, 'a b/second'));
    const PATH = `${dirname(process.execPath)}:${SYSTEM}`;
    expect(run(join(folder, 'a b/second'), ['--version'], { PATH })).toEqual({
      code: 0,
      out: `${VERSION}\n`,
      err: '',
    });
  });
});
