import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requirement } from '../support/requirement.ts';
import { type CommandOptions, runCli, stationGroup } from './support/station-process.ts';

const group = stationGroup('roots');
afterAll(() => group.end());

const isRoot = process.getuid?.() === 0;
const canMount = (): boolean => {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return isRoot;
  } catch {
    return false;
  }
};

async function init(root: string, options: CommandOptions = {}) {
  const { code, out, err } = await runCli(['--root', root, 'init'], options);
  return { code, out, err };
}

describe('a root that cannot be', () => {
  it('a file, or below a file', async () => {
    const path = join(group.folder, 'file');
    writeFileSync(path, 'kept');
    for (const root of [path, join(path, 'below')]) {
      expect(await init(root)).toEqual({
        code: 2,
        out: '',
        err: `error: the root ${root} cannot be made: ${path} is not a directory\n`,
      });
    }
    const started = await runCli(['--root', path, 'start']);
    expect([started.code, started.out]).not.toEqual([0, expect.anything()]);
    expect(started.err).toContain(path);
  }, 60_000);

  it('a path too long for its socket', async () => {
    const root = join(group.folder, 'x'.repeat(100));
    const { code, err } = await init(root);
    expect(code).toBe(2);
    expect(err).toMatch(/too long a path: with \/control\.sock it may have 107 bytes/);
    expect(existsSync(root)).toBe(false);
  }, 60_000);

  it('an empty root has no station to start', async () => {
    const root = join(group.folder, 'nothing');
    const { code, err } = await runCli(['--root', root, 'start']);
    expect(code).toBe(3);
    expect(err).toContain(`no shp station at ${root}: run dkr-shp init first`);
    expect(existsSync(root)).toBe(false);
  }, 60_000);

  if (requirement('a root that is not writable', isRoot, 'needs root to become another user')) {
    it('one that this user may not write', async () => {
      const user = { uid: 65_534, gid: 65_534 };
      chmodSync(group.folder, 0o755);
      const made = await group.init('roots-own');
      const closed = join(group.folder, 'closed');
      mkdirSync(closed, { mode: 0o755 });
      for (const root of [join(closed, 'root'), closed]) {
        expect(await init(root, user)).toEqual({
          code: 5,
          out: '',
          err: `error: the root ${root} cannot be written: permission denied (EACCES); run as root, or give another place by --root\n`,
        });
      }
      expect(readdirSync(closed)).toEqual([]);
      // A station of root's: neither looked into nor started nor asked by others.
      for (const command of ['init', 'start', 'ls', 'stop']) {
        const { code, out, err } = await made.run([command], user);
        expect([command, code, out]).toEqual([command, 5, '']);
        expect(err).toMatch(/^error: /);
        expect(err).toContain(made.root);
      }
    }, 60_000);
  }

  if (requirement('a root on overlay', canMount(), 'needs root and mount namespaces')) {
    it("one inside a container's root filesystem", async () => {
      const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => {
        const path = join(group.folder, 'overlay', name);
        mkdirSync(path, { recursive: true });
        return path;
      });
      execFileSync('mount', [
        ...['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`],
        merged as string,
      ]);
      try {
        const root = join(merged as string, 'shp');
        expect(await init(root)).toEqual({
          code: 9,
          out: '',
          err: `error: the root ${root} cannot be used: it lies inside a container's root filesystem (overlay): mount a volume there\n`,
        });
        expect(readdirSync(upper as string)).toEqual([]);
      } finally {
        execFileSync('umount', [merged as string]);
      }
    }, 60_000);
  }
});
